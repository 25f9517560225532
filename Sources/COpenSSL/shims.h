#pragma once

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

// What Swift cannot import: macros that cast or call.

/// Sets the nonce length of an AEAD cipher; must precede the nonce. Returns 1 for success.
static inline int dimple_aead_set_nonce_length(EVP_CIPHER_CTX *context, int length) {
  return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, length, NULL);
}

/// Reads the tag of a finished AEAD encryption. Returns 1 for success.
static inline int dimple_aead_get_tag(EVP_CIPHER_CTX *context, void *tag, int length) {
  return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, length, tag);
}

/// Sets the tag that an AEAD decryption must meet. Returns 1 for success.
static inline int dimple_aead_set_tag(EVP_CIPHER_CTX *context, const void *tag, int length) {
  return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, length, (void *)tag);
}
