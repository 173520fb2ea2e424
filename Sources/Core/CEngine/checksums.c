#include "checksums.h"

#include <string.h>

#define POLYNOMIAL 0x82F63B78u /* reflected 0x1EDC6F41 */
#define LANE 1024              /* bytes in each of three interleaved lanes */

/* Product of two polynomials modulo the CRC's, both reflected (bit 31 is the coefficient of x^0). */
static uint32_t multiply(uint32_t a, uint32_t b) {
    uint32_t product = 0;
    for (uint32_t bit = 1u << 31; bit != 0; bit >>= 1) {
        if (a & bit) product ^= b;
        b = (b >> 1) ^ ((b & 1) ? POLYNOMIAL : 0);
    }
    return product;
}

uint32_t pgm_crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t count_b) {
    uint32_t power = 1u << 30; /* x^1, then squared three times: x^8 */
    for (int i = 0; i < 3; i++) power = multiply(power, power);
    uint32_t shifted = crc_a;
    for (uint64_t n = count_b; n != 0; n >>= 1) {
        if (n & 1) shifted = multiply(shifted, power);
        power = multiply(power, power);
    }
    return shifted ^ crc_b;
}

static uint32_t crc_bitwise(uint32_t crc, const uint8_t *bytes, size_t count) {
    static const uint32_t nibbles[16] = {
        0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
        0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9, 0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75};
    while (count--) {
        crc ^= *bytes++;
        crc = (crc >> 4) ^ nibbles[crc & 15];
        crc = (crc >> 4) ^ nibbles[crc & 15];
    }
    return crc;
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("sse4.2,pclmul"))) static uint32_t shift_lane(uint32_t crc, uint32_t constant) {
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi32_si128((int)crc), _mm_cvtsi32_si128((int)constant), 0);
    return (uint32_t)_mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

__attribute__((target("sse4.2,pclmul"))) static uint32_t crc_hardware(
    uint32_t crc, const uint8_t *bytes, size_t count) {
    uint64_t a = crc;
    while (count >= 3 * LANE) {
        uint64_t b = 0, c = 0, word;
        for (size_t i = 0; i < LANE; i += 8) {
            memcpy(&word, bytes + i, 8);
            a = _mm_crc32_u64(a, word);
            memcpy(&word, bytes + LANE + i, 8);
            b = _mm_crc32_u64(b, word);
            memcpy(&word, bytes + 2 * LANE + i, 8);
            c = _mm_crc32_u64(c, word);
        }
        /* x^(8*LANE-33) and x^(16*LANE-33): the 32x32 product and the final CRC of it add 33 steps. */
        a = shift_lane((uint32_t)a, 0xa51b6135) ^ shift_lane((uint32_t)b, 0x170076fa) ^ (uint32_t)c;
        bytes += 3 * LANE;
        count -= 3 * LANE;
    }
    for (; count >= 8; count -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        a = _mm_crc32_u64(a, word);
    }
    crc = (uint32_t)a;
    for (; count > 0; count--) crc = _mm_crc32_u8(crc, *bytes++);
    return crc;
}

uint32_t pgm_crc32c(uint32_t crc, const void *bytes, size_t count) {
    if (count == 0) return crc;
    if (__builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul"))
        return ~crc_hardware(~crc, bytes, count);
    return ~crc_bitwise(~crc, bytes, count);
}
#else
uint32_t pgm_crc32c(uint32_t crc, const void *bytes, size_t count) {
    return count == 0 ? crc : ~crc_bitwise(~crc, bytes, count);
}
#endif

#define SUMS 32
#define PAGE_WORDS (8192 / 4)

static const uint32_t seeds[SUMS] = {
    0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
    0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
    0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
    0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756};

#ifdef __has_feature
#define IS_THREAD_SANITIZED __has_feature(thread_sanitizer)
#else
#define IS_THREAD_SANITIZED 0
#endif

/* The loader chooses among clones before the thread sanitizer's runtime is ready for that. */
#if defined(__x86_64__) && defined(__linux__) && !IS_THREAD_SANITIZED
__attribute__((target_clones("avx2", "default")))
#endif
static uint32_t page_hash(const uint8_t *page) {
    uint32_t sums[SUMS];
    memcpy(sums, seeds, sizeof sums);
    for (int row = 0; row < PAGE_WORDS / SUMS; row++) {
        uint32_t words[SUMS];
        memcpy(words, page + row * sizeof words, sizeof words);
        if (row == 0) words[2] &= 0xFFFF0000u; /* pd_checksum (bytes 8 and 9) counts as zero */
        for (int i = 0; i < SUMS; i++) {
            uint32_t mixed = sums[i] ^ words[i];
            sums[i] = mixed * 16777619u ^ mixed >> 17;
        }
    }
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < SUMS; i++) sums[i] = sums[i] * 16777619u ^ sums[i] >> 17;
    uint32_t result = 0;
    for (int i = 0; i < SUMS; i++) result ^= sums[i];
    return result;
}

uint16_t pgm_page_checksum(const void *page, uint32_t block) {
    return (uint16_t)((page_hash(page) ^ block) % 65535 + 1);
}
