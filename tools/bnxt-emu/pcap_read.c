// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads captures: pcap (microseconds or nanoseconds) and pcapng (section,
 * interface, enhanced and simple packet blocks; others are skipped). Every
 * length of the file is checked before it is used.
 *
 * Formats: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pcap_read.h"

#define BLOCK_MAX	(256u << 10)	/* bytes of a block, or of a frame of a pcap file */
#define INTERFACES	32

#define MAGIC_US	0xa1b2c3d4u
#define MAGIC_NS	0xa1b23c4du
#define BLOCK_SHB	0x0a0d0d0au
#define BLOCK_IDB	1u
#define BLOCK_SPB	3u
#define BLOCK_EPB	6u
#define BYTE_ORDER_MAGIC 0x1a2b3c4du
#define LINKTYPE_ETHERNET 1
#define OPT_EPB_FLAGS	2
#define OPT_IF_TSRESOL	9

#define READ_AHEAD	(256u << 10)	/* a system call for each 4096 bytes costs as much as the rest */

struct interface {
	bool ethernet;
	uint32_t snaplen;
	uint64_t ticks;		/* a second */
};

struct pcap_reader {
	FILE *file;
	bool ng;
	bool swap;		/* the file has the other byte order */
	uint64_t ticks;		/* pcap: a second */
	unsigned int interfaces;
	struct interface interface[INTERFACES];
	uint8_t block[BLOCK_MAX];
	char ahead[READ_AHEAD];
};

static uint32_t u32(const struct pcap_reader *r, const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return r->swap ? __builtin_bswap32(v) : v;
}

static uint16_t u16(const struct pcap_reader *r, const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return r->swap ? __builtin_bswap16(v) : v;
}

static enum pcap_result broken(const char **why, const char *text)
{
	*why = text;
	return PCAP_BROKEN;
}

static bool get(struct pcap_reader *r, void *p, size_t n)
{
	return fread(p, 1, n, r->file) == n;
}

/* ns of @t ticks; no overflow for any time until the year 2500 */
static uint64_t to_ns(uint64_t t, uint64_t ticks)
{
	uint64_t s = t / ticks, rest = t % ticks;

	return s * 1000000000u + (uint64_t)((unsigned __int128)rest * 1000000000u / ticks);
}

/*
 * pcap
 */

static bool read_pcap_header(struct pcap_reader *r, const uint8_t *magic, const char **why)
{
	uint8_t rest[20];
	uint32_t m;

	memcpy(&m, magic, sizeof(m));
	r->swap = m == __builtin_bswap32(MAGIC_US) || m == __builtin_bswap32(MAGIC_NS);
	m = u32(r, magic);
	r->ticks = m == MAGIC_NS ? 1000000000u : 1000000u;
	if (!get(r, rest, sizeof(rest)))
		return broken(why, "its header is cut off"), false;
	/* the upper bits tell of the FCS */
	if ((u32(r, rest + 16) & 0xffff) != LINKTYPE_ETHERNET)
		return broken(why, "it has no Ethernet frames"), false;
	return true;
}

static enum pcap_result next_pcap(struct pcap_reader *r, struct pcap_record *rec, const char **why)
{
	uint8_t h[16];
	size_t n = fread(h, 1, sizeof(h), r->file);
	uint32_t len;

	if (!n)
		return PCAP_END;
	len = n == sizeof(h) ? u32(r, h + 8) : BLOCK_MAX + 1;
	if (len > BLOCK_MAX)
		return broken(why, "a frame's header is cut off, or its length senseless");
	if (!get(r, r->block, len))
		return broken(why, "a frame is cut off by the end of the file");
	*rec = (struct pcap_record){
		.ts = u32(r, h) * 1000000000ull + to_ns(u32(r, h + 4), r->ticks),
		.len = len,
		.original = u32(r, h + 12),
		.data = r->block,
	};
	return PCAP_FRAME;
}

/*
 * pcapng
 */

/* Finds an option of at least @min bytes in [p, end); NULL if it is not there */
static const uint8_t *find_option(const struct pcap_reader *r, const uint8_t *p, const uint8_t *end,
				  uint16_t code, uint16_t min)
{
	while (end - p >= 4) {
		uint16_t c = u16(r, p), len = u16(r, p + 2);

		p += 4;
		if (!c || len > end - p)
			return NULL;
		if (c == code)
			return len >= min ? p : NULL;
		if (end - p < ((len + 3) & ~3))
			return NULL;
		p += (len + 3) & ~3;
	}
	return NULL;
}

static bool add_interface(struct pcap_reader *r, const uint8_t *body, uint32_t len)
{
	struct interface *i = &r->interface[r->interfaces];
	const uint8_t *res;

	if (len < 8 || r->interfaces == INTERFACES)
		return false;
	*i = (struct interface){
		.ethernet = u16(r, body) == LINKTYPE_ETHERNET,
		.snaplen = u32(r, body + 4),
		.ticks = 1000000,
	};
	res = find_option(r, body + 8, body + len, OPT_IF_TSRESOL, 1);
	if (res && *res & 0x80) {
		if ((*res & 0x7f) > 63)
			return false;
		i->ticks = 1ull << (*res & 0x7f);
	} else if (res) {
		if (*res > 18)
			return false;
		i->ticks = 1;
		for (int n = 0; n < *res; n++)
			i->ticks *= 10;
	}
	r->interfaces++;
	return true;
}

/* A section says which byte order it has */
static bool start_section(struct pcap_reader *r, const uint8_t *head)
{
	uint32_t magic;

	memcpy(&magic, head + 8, sizeof(magic));
	r->swap = magic == __builtin_bswap32(BYTE_ORDER_MAGIC);
	r->interfaces = 0;
	return r->swap || magic == BYTE_ORDER_MAGIC;
}

/* Returns PCAP_END for frames that are not Ethernet's */
static enum pcap_result enhanced(const struct pcap_reader *r, uint32_t len, struct pcap_record *rec,
				 const char **why)
{
	const uint8_t *b = r->block, *flags;
	const struct interface *i;
	uint32_t captured;

	if (len < 20 || u32(r, b) >= r->interfaces)
		return broken(why, "a frame names no interface of the file");
	i = &r->interface[u32(r, b)];
	captured = u32(r, b + 12);
	if (captured > len - 20)
		return broken(why, "a frame is longer than its block");
	*rec = (struct pcap_record){
		.ts = to_ns((uint64_t)u32(r, b + 4) << 32 | u32(r, b + 8), i->ticks),
		.len = captured,
		.original = u32(r, b + 16),
		.data = b + 20,
	};
	if (len - 20 >= (uint64_t)captured + (-captured & 3)) {
		flags = find_option(r, b + 20 + captured + (-captured & 3), b + len, OPT_EPB_FLAGS, 4);
		rec->dir = flags ? u32(r, flags) & 3 : 0;
	}
	return i->ethernet ? PCAP_FRAME : PCAP_END;
}

static enum pcap_result simple(const struct pcap_reader *r, uint32_t len, struct pcap_record *rec,
			       const char **why)
{
	uint32_t original, captured = len - 4;

	if (len < 4 || !r->interfaces)
		return broken(why, "a frame comes before any interface");
	original = u32(r, r->block);
	if (r->interface[0].snaplen && captured > r->interface[0].snaplen)
		captured = r->interface[0].snaplen;
	if (captured > original)
		captured = original;
	*rec = (struct pcap_record){
		.len = captured, .original = original, .data = r->block + 4
	};
	return r->interface[0].ethernet ? PCAP_FRAME : PCAP_END;
}

/* Reads a block's type, and its body into r->block */
static enum pcap_result read_block(struct pcap_reader *r, uint32_t *type, uint32_t *len,
				   const char **why)
{
	uint8_t head[12];
	size_t n = fread(head, 1, 8, r->file);
	uint32_t total;

	if (!n)
		return PCAP_END;
	if (n != 8)
		return broken(why, "a block is cut off by the end of the file");
	memcpy(type, head, sizeof(*type));	/* the same in either byte order for a section */
	if (*type == BLOCK_SHB) {
		if (!get(r, head + 8, 4) || !start_section(r, head))
			return broken(why, "a section has no byte order that is known");
		fseek(r->file, -4, SEEK_CUR);
	}
	*type = u32(r, head);
	total = u32(r, head + 4);
	if (total < 12 || total % 4 || total - 12 > BLOCK_MAX)
		return broken(why, "a block's length is senseless");
	*len = total - 12;
	if (!get(r, r->block, *len) || !get(r, head + 8, 4))
		return broken(why, "a block is cut off by the end of the file");
	if (u32(r, head + 8) != total)
		return broken(why, "a block's two lengths differ");
	return PCAP_FRAME;
}

static enum pcap_result next_ng(struct pcap_reader *r, struct pcap_record *rec, const char **why)
{
	uint32_t type, len;

	for (;;) {
		enum pcap_result res = read_block(r, &type, &len, why);

		if (res != PCAP_FRAME)
			return res;
		res = PCAP_END;
		if (type == BLOCK_IDB && !add_interface(r, r->block, len))
			return broken(why, "an interface makes no sense, or there are too many");
		if (type == BLOCK_EPB)
			res = enhanced(r, len, rec, why);
		else if (type == BLOCK_SPB)
			res = simple(r, len, rec, why);
		if (res != PCAP_END)
			return res;
	}
}

static bool read_header(struct pcap_reader *r, const char **why)
{
	uint8_t magic[4];
	uint32_t m;

	*why = "it is neither pcap nor pcapng";
	if (!get(r, magic, sizeof(magic)))
		return false;
	memcpy(&m, magic, sizeof(m));
	r->ng = m == BLOCK_SHB;
	if (r->ng)
		return !fseek(r->file, 0, SEEK_SET);
	if (m != MAGIC_US && m != MAGIC_NS && m != __builtin_bswap32(MAGIC_US) &&
	    m != __builtin_bswap32(MAGIC_NS))
		return false;
	return read_pcap_header(r, magic, why);
}

/**
 * pcap_open() - Open a capture
 * @path: its name
 * @why: on failure: what is wrong
 *
 * Return: the reader or NULL.
 */
struct pcap_reader *pcap_open(const char *path, const char **why)
{
	struct pcap_reader *r = malloc(sizeof(*r));

	*why = "no memory";
	if (!r)
		return NULL;
	memset(r, 0, offsetof(struct pcap_reader, block));
	r->file = fopen(path, "re");
	if (!r->file) {
		*why = strerror(errno);
		goto free_reader;
	}
	setvbuf(r->file, r->ahead, _IOFBF, sizeof(r->ahead));
	if (!read_header(r, why))
		goto close_file;
	return r;

close_file:
	fclose(r->file);
free_reader:
	free(r);
	return NULL;
}

/**
 * pcap_next() - Read the next Ethernet frame
 * @r: reader
 * @rec: the frame
 * @why: for PCAP_BROKEN: what is wrong
 *
 * Return: PCAP_FRAME, PCAP_END at the end, PCAP_BROKEN where the file makes no sense.
 */
enum pcap_result pcap_next(struct pcap_reader *r, struct pcap_record *rec, const char **why)
{
	return r->ng ? next_ng(r, rec, why) : next_pcap(r, rec, why);
}

/**
 * pcap_rewind() - Start again with the first frame
 * @r: reader
 *
 * Return: false if the file cannot be read again.
 */
bool pcap_rewind(struct pcap_reader *r)
{
	const char *why;

	clearerr(r->file);
	r->interfaces = 0;
	return !fseek(r->file, 0, SEEK_SET) && read_header(r, &why);
}

/**
 * pcap_close() - Close a capture
 * @r: reader or NULL
 */
void pcap_close(struct pcap_reader *r)
{
	if (!r)
		return;
	fclose(r->file);
	free(r);
}
