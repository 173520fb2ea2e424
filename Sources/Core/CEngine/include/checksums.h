#pragma once
#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `count` bytes, continuing from `crc`; 0 begins. */
uint32_t pgm_crc32c(uint32_t crc, const void *_Nullable bytes, size_t count);

/* The CRC-32C of A followed by B, from that of A, that of B and B's length in bytes. */
uint32_t pgm_crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t count_b);

/* PostgreSQL's page checksum for the 8192-byte page `page` at block `block` of its fork
 * (PostgreSQL documentation, "Data Checksums"; src/include/storage/checksum_impl.h tells the algorithm). */
uint16_t pgm_page_checksum(const void *_Nonnull page, uint32_t block);
