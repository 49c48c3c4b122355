// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Back end: replays a capture.
 *
 * "FILE[,KEY=VALUE]...": speed=fast (as fast as the device takes frames) or
 * recorded (at the times of the file), loop=N or forever, dir=in, out or any (as
 * the file says; frames without a direction always go), start=auto (when the
 * driver opened the device) or ctl (by the control socket).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/if_ether.h>

#include "be_replay.h"
#include "pcap_read.h"

/* The guest waits for the end of a burst: of so many records, sent or not, or as many bytes */
#define BURST		64
#define BURST_BYTES	(128u << 10)
#define FRAME_MAX	(ETH_HLEN + 4 + 65535)

struct be_replay {
	struct backend base;
	const struct backend_ops *ops;
	void *host;
	struct pcap_reader *file;

	bool recorded;		/* timing */
	bool by_hand;
	uint64_t loops;		/* UINT64_MAX: for ever */
	int dir;		/* 0: any */

	bool running, held;
	const char *broken;	/* why it ended before its time */
	uint64_t left;		/* passes through the file, this one included */
	uint64_t start;		/* ns, of this pass */
	uint64_t first;		/* time of its first frame */
	bool have_first;
	bool have_next;
	struct pcap_record next;
	uint64_t sent, skipped, passes;
};

static struct be_replay *to_replay(struct backend *be)
{
	return (struct be_replay *)be;
}

/* Of those that can be replayed: whole frames of the direction that is wanted */
static bool wanted(struct be_replay *rp, const struct pcap_record *rec)
{
	if (rp->dir && rec->dir && rec->dir != rp->dir)
		return false;
	if (rec->len == rec->original && rec->len >= ETH_HLEN && rec->len <= FRAME_MAX)
		return true;
	rp->skipped++;
	return false;
}

static void end(struct be_replay *rp, const char *broken)
{
	rp->running = false;
	rp->have_next = false;
	rp->broken = broken;
}

/* Starts the next pass; false if there is none */
static bool next_pass(struct be_replay *rp, uint64_t now, bool any)
{
	rp->passes++;
	if (rp->left != UINT64_MAX)
		rp->left--;
	/* a file without a frame to send would be read for ever */
	if (!rp->left || !any || !pcap_rewind(rp->file)) {
		end(rp, any ? NULL : "no frame of the file can be sent");
		return false;
	}
	rp->start = now;
	rp->have_first = false;
	return true;
}

/* Reads a record, which may be none to send; false at the end of the last pass */
static bool read_next(struct be_replay *rp, uint64_t now)
{
	const char *why = NULL;

	for (;;) {
		switch (pcap_next(rp->file, &rp->next, &why)) {
		case PCAP_FRAME:
			rp->have_next = wanted(rp, &rp->next);
			return true;
		case PCAP_END:
			if (!next_pass(rp, now, rp->have_first))
				return false;
			break;
		case PCAP_BROKEN:
			end(rp, why);
			return false;
		}
	}
}

static void send_next(struct be_replay *rp)
{
	static const struct virtio_net_hdr_v1 plain = { .num_buffers = 0 };

	rp->have_next = false;
	rp->sent++;
	rp->base.stats.rx_frames++;
	rp->base.stats.rx_bytes += rp->next.len;
	rp->ops->rx(rp->host, &plain, rp->next.data, rp->next.len);
}

/* ns until the frame that is next may go */
static uint64_t due_in(const struct be_replay *rp, uint64_t now)
{
	/* captures may go back in time */
	uint64_t at = rp->next.ts > rp->first ? rp->next.ts - rp->first : 0;

	if (!rp->recorded || now - rp->start >= at)
		return 0;
	return at - (now - rp->start);
}

static uint64_t replay_timers(struct backend *be, uint64_t now)
{
	struct be_replay *rp = to_replay(be);
	size_t bytes = 0;
	int i;

	for (i = 0; i < BURST && bytes < BURST_BYTES && rp->running && !rp->held; i++) {
		uint64_t wait;

		if (!rp->have_next) {
			if (!read_next(rp, now))
				break;
			bytes += rp->next.len;
		}
		if (!rp->have_next)
			continue;
		if (!rp->have_first)
			rp->first = rp->next.ts;
		rp->have_first = true;
		wait = due_in(rp, now);
		if (wait) {
			rp->ops->rx_end(rp->host);
			return wait;
		}
		send_next(rp);
	}
	if (i)
		rp->ops->rx_end(rp->host);
	return rp->running && !rp->held ? 0 : UINT64_MAX;
}

static void replay_tx(struct backend *be, const struct virtio_net_hdr_v1 *hdr,
		      const struct iovec *iov, int iovcnt)
{
	(void)hdr;
	be->stats.tx_frames++;
	for (int i = 0; i < iovcnt; i++)
		be->stats.tx_bytes += iov[i].iov_len;
}

static void replay_hold(struct backend *be, bool hold)
{
	to_replay(be)->held = hold;
}

static void replay_free(struct backend *be)
{
	struct be_replay *rp = to_replay(be);

	pcap_close(rp->file);
	free(rp);
}

static const struct backend_class replay_class = {
	.tx = replay_tx,
	.hold = replay_hold,
	.timers = replay_timers,
	.free = replay_free,
};

static bool set_speed(struct be_replay *rp, const char *v)
{
	rp->recorded = !strcmp(v, "recorded");
	return rp->recorded || !strcmp(v, "fast");
}

static bool set_loop(struct be_replay *rp, const char *v)
{
	char *e;

	rp->loops = UINT64_MAX;
	if (!strcmp(v, "forever"))
		return true;
	errno = 0;
	rp->loops = strtoull(v, &e, 10);
	return *v >= '0' && *v <= '9' && !*e && !errno && rp->loops;
}

static bool set_dir(struct be_replay *rp, const char *v)
{
	rp->dir = !strcmp(v, "in") ? PCAP_IN : !strcmp(v, "out") ? PCAP_OUT : 0;
	return rp->dir || !strcmp(v, "any");
}

static bool set_start(struct be_replay *rp, const char *v)
{
	rp->by_hand = !strcmp(v, "ctl");
	return rp->by_hand || !strcmp(v, "auto");
}

static const struct {
	const char *name;
	bool (*fn)(struct be_replay *rp, const char *value);
	const char *fix;
} keys[] = {
	{ "speed", set_speed, "fast or recorded" },
	{ "loop", set_loop, "how often, from 1, or forever" },
	{ "dir", set_dir, "in, out or any" },
	{ "start", set_start, "auto or ctl" },
};

static bool parse_key(struct be_replay *rp, char *word, char *why, size_t size)
{
	char *eq = strchr(word, '=');

	for (size_t i = 0; eq && i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strlen(keys[i].name) != (size_t)(eq - word) ||
		    strncmp(keys[i].name, word, eq - word))
			continue;
		if (keys[i].fn(rp, eq + 1))
			return true;
		snprintf(why, size, "%s: give %s", word, keys[i].fix);
		return false;
	}
	snprintf(why, size, "no \"%s\": after the file come speed=, loop=, dir=, start=", word);
	return false;
}

/* Returns the file's name, to be freed; NULL with the reason in @why */
static char *parse_spec(struct be_replay *rp, const char *spec, char *why, size_t size)
{
	char *copy = strdup(spec), *save = NULL, *path, *word;

	snprintf(why, size, "no memory");
	path = copy ? strtok_r(copy, ",", &save) : NULL;
	if (copy && !path)
		snprintf(why, size, "give a capture file");
	while (path && (word = strtok_r(NULL, ",", &save)))
		if (!parse_key(rp, word, why, size))
			path = NULL;
	path = path ? strdup(path) : NULL;
	free(copy);
	return path;
}

/**
 * be_replay_new() - Make a back end out of a capture
 * @spec: file and how, see above
 * @ops: what to tell
 * @host: passed to @ops
 * @why: on failure: what is wrong and what to do
 * @size: bytes of @why
 *
 * Return: the back end, which waits for be_replay_start(), or NULL.
 */
struct backend *be_replay_new(const char *spec, const struct backend_ops *ops, void *host, char *why,
			      size_t size)
{
	struct be_replay *rp = calloc(1, sizeof(*rp));
	const char *reason;
	char *path;

	if (!rp) {
		snprintf(why, size, "no memory");
		return NULL;
	}
	rp->base.class = &replay_class;
	rp->ops = ops;
	rp->host = host;
	rp->loops = 1;
	path = parse_spec(rp, spec, why, size);
	if (!path)
		goto free_replay;
	rp->file = pcap_open(path, &reason);
	if (!rp->file)
		snprintf(why, size, "%s: %s; give a pcap or pcapng file of Ethernet frames", path,
			 reason);
	free(path);
	if (!rp->file)
		goto free_replay;
	return &rp->base;

free_replay:
	free(rp);
	return NULL;
}

/**
 * be_replay_by_hand() - Whether somebody will say when to start
 * @be: the back end
 *
 * Return: true for start=ctl.
 */
bool be_replay_by_hand(const struct backend *be)
{
	return ((const struct be_replay *)be)->by_hand;
}

/**
 * be_replay_start() - Replay from the beginning
 * @be: the back end
 * @now: CLOCK_MONOTONIC, ns
 * @why: on failure: the reason
 *
 * Return: false if the file cannot be read again.
 */
bool be_replay_start(struct backend *be, uint64_t now, const char **why)
{
	struct be_replay *rp = to_replay(be);

	*why = "the file cannot be read again";
	end(rp, NULL);
	if (!pcap_rewind(rp->file))
		return false;
	rp->running = true;
	rp->left = rp->loops;
	rp->start = now;
	rp->have_first = false;
	return true;
}

/**
 * be_replay_stop() - Send no more
 * @be: the back end
 */
void be_replay_stop(struct backend *be)
{
	end(to_replay(be), NULL);
}

/**
 * be_replay_status() - How far it is
 * @be: the back end
 * @text: gets it in words
 * @size: bytes of @text
 */
void be_replay_status(const struct backend *be, char *text, size_t size)
{
	const struct be_replay *rp = (const struct be_replay *)be;

	snprintf(text, size,
		 "%s: %" PRIu64 " frames sent, %" PRIu64 " times to the end, %" PRIu64
		 " cut off or too long%s%s",
		 rp->running ? "running" : "stopped", rp->sent, rp->passes, rp->skipped,
		 rp->broken ? "; ended because " : "", rp->broken ? rp->broken : "");
}
