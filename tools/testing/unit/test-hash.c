// SPDX-License-Identifier: GPL-2.0-or-later
/* Hashes: published values, any division of the stream, the two ways to a CRC32C. */
#include "../tap.h"
#include "hash.h"

/* The definition, a bit at a time */
static uint32_t crc32c_bits(const uint8_t *p, size_t len)
{
	uint32_t crc = UINT32_MAX;

	while (len--) {
		crc ^= *p++;
		for (unsigned int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0);
	}
	return ~crc;
}

static void test_crc32c(void)
{
	uint8_t bytes[4096];
	unsigned int wrong = 0;

	/* RFC 3720, appendix B.4 */
	memset(bytes, 0, 32);
	tap_eq(crc32c(0, bytes, 32), 0x8a9136aaU, "32 bytes 0");
	memset(bytes, 0xff, 32);
	tap_eq(crc32c(0, bytes, 32), 0x62a8ab43U, "32 bytes 0xff");
	for (unsigned int i = 0; i < 32; i++)
		bytes[i] = (uint8_t)i;
	tap_eq(crc32c(0, bytes, 32), 0x46dd794eU, "32 bytes upwards");
	tap_eq(crc32c_table(0, bytes, 32), 0x46dd794eU, "the same by the table");
	tap_eq(crc32c(0, "123456789", 9), 0xe3069283U, "the check value");

	srand(1);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(rand() >> 5);
	for (unsigned int i = 0; i < 2000; i++) {
		size_t at = (size_t)rand() % 64, len = (size_t)rand() % 300;
		uint32_t want = crc32c_bits(bytes + at, len);

		wrong += crc32c(0, bytes + at, len) != want;
		wrong += crc32c_table(0, bytes + at, len) != want;
	}
	tap_eq(wrong, 0, "instruction and table agree with the definition at any place and length");
}

static void hash(const struct hash_ops *ops, const uint8_t *data, size_t len, size_t most, char *text)
{
	struct hash *h = ops->start();

	if (!h)
		tap_bail("no hash");
	while (len) {
		size_t n = most ? 1 + (size_t)rand() % most : len;

		n = n < len ? n : len;
		hash_add(h, data, n);
		data += n;
		len -= n;
		/* looking at it changes nothing */
		if (rand() % 16 == 0)
			hash_end(h, text);
	}
	hash_end(h, text);
	hash_free(h);
}

static void test_division(const char *name)
{
	static uint8_t data[200000];
	const struct hash_ops *ops = hash_find(name);
	char whole[HASH_TEXT], parts[HASH_TEXT];
	unsigned int wrong = 0;

	if (!tap_ok(ops && !strcmp(ops->name, name), "%s is there", name))
		return;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(rand() >> 5);
	hash(ops, data, sizeof(data), 0, whole);
	for (size_t most = 1; most < 10000; most = most * 3 + 1) {
		hash(ops, data, sizeof(data), most, parts);
		wrong += strcmp(whole, parts) != 0;
	}
	tap_eq(wrong, 0, "%s of pieces is that of the whole", name);
}

static void test_values(void)
{
	char text[HASH_TEXT];

	/* FIPS 180-2, appendix B */
	hash(hash_find("sha256"), (const uint8_t *)"abc", 3, 0, text);
	tap_str(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "abc");
	hash(hash_find("sha256"), NULL, 0, 0, text);
	tap_str(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "nothing");
	hash(hash_find("crc32c"), NULL, 0, 0, text);
	tap_str(text, "00000000", "nothing");
	hash(hash_find("crc32c"), (const uint8_t *)"123456789", 9, 2, text);
	tap_str(text, "e3069283", "digits with their zeros");
	tap_ok(!hash_find("md5"), "what is not there");
}

int main(void)
{
	test_crc32c();
	test_division("crc32c");
	test_division("sha256");
	test_values();
	return tap_done();
}
