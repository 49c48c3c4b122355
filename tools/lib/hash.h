/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hashes of streams, under the names of --hash. */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>
#include <stdint.h>

/* Room for the digits of any of them, and the end of the string */
#define HASH_TEXT	65

struct hash;

/**
 * struct hash_ops - a hash
 * @name: as in --hash
 * @start: a new one, NULL without memory
 * @add: takes the next bytes
 * @end: its digits, HASH_TEXT bytes; more bytes can follow
 * @free: frees it
 */
struct hash_ops {
	const char *name;
	struct hash *(*start)(void);
	void (*add)(struct hash *h, const void *data, size_t len);
	void (*end)(const struct hash *h, char *text);
	void (*free)(struct hash *h);
};

/**
 * struct hash - a hash in the making; the kinds have more
 * @ops: which kind
 */
struct hash {
	const struct hash_ops *ops;
};

const struct hash_ops *hash_find(const char *name);
uint32_t crc32c_table(uint32_t crc, const void *data, size_t len);
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

static inline void hash_add(struct hash *h, const void *data, size_t len)
{
	h->ops->add(h, data, len);
}

static inline void hash_end(const struct hash *h, char *text)
{
	h->ops->end(h, text);
}

static inline void hash_free(struct hash *h)
{
	if (h)
		h->ops->free(h);
}

#endif
