// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A bad wire, towards the device only: the peer's retransmissions repair it, and
 * the guest's receive path sees loss, disorder, duplicates and damage. The same
 * seed and the same frames give the same faults.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/if_ether.h>

#include "impair.h"

#define KEEP_MAX	(ETH_HLEN + 4 + 65535)

enum fault { FAULT_DROP, FAULT_DUP, FAULT_REORDER, FAULT_CORRUPT, FAULT_COUNT };

static const char *const fault_names[FAULT_COUNT] = {
	[FAULT_DROP] = "drop",
	[FAULT_DUP] = "dup",
	[FAULT_REORDER] = "reorder",
	[FAULT_CORRUPT] = "corrupt",
};

struct impair {
	const struct backend_ops *ops;
	void *host;
	double p[FAULT_COUNT];
	uint64_t state;
	bool kept;			/* a frame waits to be overtaken */
	struct virtio_net_hdr_v1 kept_hdr;
	size_t kept_len;
	uint8_t kept_frame[KEEP_MAX];
	uint8_t damaged[KEEP_MAX];
};

/* xorshift64*: good enough to pick frames, and the same everywhere */
static uint64_t next_random(struct impair *imp)
{
	imp->state ^= imp->state >> 12;
	imp->state ^= imp->state << 25;
	imp->state ^= imp->state >> 27;
	return imp->state * 0x2545f4914f6cdd1dull;
}

static bool happens(struct impair *imp, enum fault fault)
{
	return imp->p[fault] > 0 && (next_random(imp) >> 11) * 0x1p-53 < imp->p[fault];
}

static bool parse_one(struct impair *imp, const char *word)
{
	const char *eq = strchr(word, '=');
	char *end;
	double p;

	if (!eq)
		return false;
	p = strtod(eq + 1, &end);
	if (end == eq + 1 || *end || !(p >= 0 && p <= 1))
		return false;
	for (int i = 0; i < FAULT_COUNT; i++) {
		if (strlen(fault_names[i]) == (size_t)(eq - word) &&
		    !strncmp(fault_names[i], word, eq - word)) {
			imp->p[i] = p;
			return true;
		}
	}
	return false;
}

static bool parse_spec(struct impair *imp, const char *spec)
{
	char *copy = strdup(spec), *save = NULL;
	bool good = copy;

	for (char *w = copy ? strtok_r(copy, ",", &save) : NULL; w && good;
	     w = strtok_r(NULL, ",", &save))
		good = parse_one(imp, w);
	free(copy);
	return good;
}

/**
 * impair_new() - Make a bad wire
 * @spec: faults and their probabilities: "drop=0.01,dup=0,reorder=0.1,corrupt=0.001"
 * @seed: what the faults depend on
 * @ops: who gets the frames
 * @host: passed to @ops
 *
 * Return: the wire, NULL with errno set (EINVAL: @spec is not valid).
 */
struct impair *impair_new(const char *spec, uint64_t seed, const struct backend_ops *ops,
			  void *host)
{
	struct impair *imp = calloc(1, sizeof(*imp));

	if (!imp)
		return NULL;
	imp->ops = ops;
	imp->host = host;
	/* the generator must not start from zero */
	imp->state = seed * 2 + 1;
	if (!parse_spec(imp, spec)) {
		errno = EINVAL;
		goto free_imp;
	}
	for (int i = 0; i < 8; i++)
		next_random(imp);
	return imp;

free_imp:
	free(imp);
	return NULL;
}

static void pass(struct impair *imp, const struct virtio_net_hdr_v1 *hdr, const uint8_t *frame,
		 size_t len)
{
	imp->ops->rx(imp->host, hdr, frame, len);
	if (happens(imp, FAULT_DUP))
		imp->ops->rx(imp->host, hdr, frame, len);
}

/**
 * impair_rx() - A frame comes down the wire
 * @imp: the wire
 * @hdr: its offloads
 * @frame: its bytes
 * @len: how many
 */
void impair_rx(struct impair *imp, const struct virtio_net_hdr_v1 *hdr, const uint8_t *frame,
	       size_t len)
{
	if (len > KEEP_MAX || happens(imp, FAULT_DROP))
		return;
	if (len > ETH_HLEN && happens(imp, FAULT_CORRUPT)) {
		uint64_t r = next_random(imp);

		/* the MAC header stays, else the frame is for nobody */
		memcpy(imp->damaged, frame, len);
		imp->damaged[ETH_HLEN + (r >> 3) % (len - ETH_HLEN)] ^= 1 << (r & 7);
		frame = imp->damaged;
	}
	if (!imp->kept && happens(imp, FAULT_REORDER)) {
		imp->kept = true;
		imp->kept_hdr = *hdr;
		imp->kept_len = len;
		memcpy(imp->kept_frame, frame, len);
		return;
	}
	pass(imp, hdr, frame, len);
	if (imp->kept) {
		imp->kept = false;
		pass(imp, &imp->kept_hdr, imp->kept_frame, imp->kept_len);
	}
}

/**
 * impair_free() - Free a wire; a frame that waits in it is lost
 * @imp: the wire or NULL
 */
void impair_free(struct impair *imp)
{
	free(imp);
}
