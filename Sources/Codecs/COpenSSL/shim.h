#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/err.h>
#include <openssl/crypto.h>

/* OSSL_PARAM lists hold pointers to their values and end with a macro; these wrappers keep that in C. */

/* HKDF-SHA-256 (EVP_KDF-HKDF(7)), extract and expand. Returns 1 when it worked. */
static inline int pgmoneta_hkdf_sha256(
    const unsigned char *secret, size_t secret_count, const unsigned char *salt, size_t salt_count,
    const unsigned char *info, size_t info_count, unsigned char *key, size_t key_count)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_HKDF, NULL);
    EVP_KDF_CTX *context = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
    OSSL_PARAM parameters[5];
    int result;

    EVP_KDF_free(kdf);
    if (context == NULL)
        return 0;
    parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA2-256", 0);
    parameters[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret, secret_count);
    parameters[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, salt_count);
    parameters[3] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, info_count);
    parameters[4] = OSSL_PARAM_construct_end();
    result = EVP_KDF_derive(context, key, key_count, parameters);
    EVP_KDF_CTX_free(context);
    return result == 1;
}

/* A context for HMAC-SHA-256 (EVP_MAC-HMAC(7)) with its key; NULL when it did not work. */
static inline EVP_MAC_CTX *pgmoneta_hmac_sha256_new(const unsigned char *key, size_t key_count)
{
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
    OSSL_PARAM parameters[2];

    EVP_MAC_free(mac);
    if (context == NULL)
        return NULL;
    parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA2-256", 0);
    parameters[1] = OSSL_PARAM_construct_end();
    if (EVP_MAC_init(context, key, key_count, parameters) != 1) {
        EVP_MAC_CTX_free(context);
        return NULL;
    }
    return context;
}
