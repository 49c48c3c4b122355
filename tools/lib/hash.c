// SPDX-License-Identifier: GPL-2.0-or-later
#include "hash.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- CRC32C: RFC 3720, appendix B.4; iSCSI, SCTP, NVMe/TCP ------------------ */

/**
 * crc32c_table() - CRC32C on any processor
 * @crc: of what came before, 0 at the start
 * @data: bytes
 * @len: how many
 *
 * Return: the CRC.
 */
uint32_t crc32c_table(uint32_t crc, const void *data, size_t len)
{
	/* of four bits each: the polynomial is 0x82f63b78, lowest power in the highest bit */
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
		0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
		0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};
	const uint8_t *p = data;

	crc = ~crc;
	while (len--) {
		crc ^= *p++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2")))
static uint32_t crc32c_sse42(uint32_t crc, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t sum = ~crc;

	for (; len >= sizeof(uint64_t); len -= sizeof(uint64_t), p += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, p, sizeof(word));
		sum = __builtin_ia32_crc32di(sum, word);
	}
	for (; len; len--)
		sum = __builtin_ia32_crc32qi((uint32_t)sum, *p++);
	return ~(uint32_t)sum;
}
#endif

/**
 * crc32c() - CRC32C with the processor's instruction, if it has one
 * @crc: of what came before, 0 at the start
 * @data: bytes
 * @len: how many
 *
 * Return: the CRC.
 */
uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("sse4.2"))
		return crc32c_sse42(crc, data, len);
#endif
	return crc32c_table(crc, data, len);
}

/**
 * struct crc32c_hash - a CRC32C in the making
 * @base: what all have
 * @crc: so far
 */
struct crc32c_hash {
	struct hash base;
	uint32_t crc;
};

static const struct hash_ops crc32c_ops;

static struct hash *crc32c_start(void)
{
	struct crc32c_hash *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->base.ops = &crc32c_ops;
	return &h->base;
}

static void crc32c_add(struct hash *h, const void *data, size_t len)
{
	struct crc32c_hash *c = (struct crc32c_hash *)h;

	c->crc = crc32c(c->crc, data, len);
}

static void crc32c_end(const struct hash *h, char *text)
{
	snprintf(text, HASH_TEXT, "%08x", ((const struct crc32c_hash *)h)->crc);
}

static void crc32c_free(struct hash *h)
{
	free(h);
}

static const struct hash_ops crc32c_ops = {
	.name = "crc32c",
	.start = crc32c_start,
	.add = crc32c_add,
	.end = crc32c_end,
	.free = crc32c_free,
};

/* ---- SHA-256, of OpenSSL --------------------------------------------------------- */

/**
 * struct sha256_hash - a SHA-256 in the making
 * @base: what all have
 * @ctx: OpenSSL's
 * @failed: OpenSSL refused something: there is no hash then, rather than a wrong one
 */
struct sha256_hash {
	struct hash base;
	EVP_MD_CTX *ctx;
	int failed;
};

static const struct hash_ops sha256_ops;

static void sha256_free(struct hash *h)
{
	EVP_MD_CTX_free(((struct sha256_hash *)h)->ctx);
	free(h);
}

static struct hash *sha256_start(void)
{
	struct sha256_hash *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->base.ops = &sha256_ops;
	h->ctx = EVP_MD_CTX_new();
	if (h->ctx && EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL))
		return &h->base;
	sha256_free(&h->base);
	return NULL;
}

static void sha256_add(struct hash *h, const void *data, size_t len)
{
	struct sha256_hash *s = (struct sha256_hash *)h;

	s->failed |= !EVP_DigestUpdate(s->ctx, data, len);
}

/* Of a copy, so that more can follow */
static void sha256_end(const struct hash *h, char *text)
{
	const struct sha256_hash *s = (const struct sha256_hash *)h;
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (!copy || s->failed || !EVP_MD_CTX_copy_ex(copy, s->ctx) ||
	    !EVP_DigestFinal_ex(copy, digest, &len))
		len = 0;
	EVP_MD_CTX_free(copy);
	text[0] = '\0';
	for (unsigned int i = 0; i < len; i++)
		snprintf(text + 2 * i, HASH_TEXT - 2 * i, "%02x", digest[i]);
}

static const struct hash_ops sha256_ops = {
	.name = "sha256",
	.start = sha256_start,
	.add = sha256_add,
	.end = sha256_end,
	.free = sha256_free,
};

/**
 * hash_find() - hash of a name
 * @name: as in --hash
 *
 * Return: the hash, NULL if none is called so.
 */
const struct hash_ops *hash_find(const char *name)
{
	static const struct hash_ops *const all[] = { &crc32c_ops, &sha256_ops };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcmp(all[i]->name, name))
			return all[i];
	return NULL;
}
