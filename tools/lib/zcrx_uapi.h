/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What user space and Linux 6.15 and later say to each other about zero copy
 * receive: numbers and layouts of include/uapi/linux/io_uring.h, .../zcrx.h and
 * .../query.h as of Linux 7.3, under names of our own, since the headers of
 * distributions (and of this series) know none or some of it.
 */
#ifndef ZCRX_UAPI_H
#define ZCRX_UAPI_H

#include <stdint.h>

/* io_uring_register(2) opcodes */
#define ZCRX_REGISTER_IFQ	32	/* 6.15 */
#define ZCRX_REGISTER_QUERY	35	/* later: EINVAL where it is not known */
#define ZCRX_REGISTER_CTRL	36	/* later still */

/**
 * struct zcrx_rqe - refill ring entry: gives back what one completion handed out
 * @off: any byte of the buffer, with the token of its area
 * @len: ignored
 * @pad: must be 0
 */
struct zcrx_rqe {
	uint64_t off;
	uint32_t len;
	uint32_t pad;
};

/* Second half of a 32-byte completion: where the data is, with the area's token */
#define ZCRX_AREA_SHIFT		48
#define ZCRX_AREA_OFFSET(off)	((off) & ((1ULL << ZCRX_AREA_SHIFT) - 1))

/**
 * struct zcrx_offsets - where things are in the refill ring's region
 * @head: of the kernel, __u32
 * @tail: ours, __u32
 * @rqes: entries
 * @resv: 0
 */
struct zcrx_offsets {
	uint32_t head;
	uint32_t tail;
	uint32_t rqes;
	uint32_t resv[5];
};

/**
 * struct zcrx_area_reg - memory that receives
 * @addr: where it starts, page aligned
 * @len: bytes, whole pages
 * @token: out: goes into the offsets that name this area
 * @flags: 1: a DMA-BUF
 * @dmabuf_fd: 0
 * @resv: 0
 */
struct zcrx_area_reg {
	uint64_t addr;
	uint64_t len;
	uint64_t token;
	uint32_t flags;
	uint32_t dmabuf_fd;
	uint64_t resv[2];
};

/* struct zcrx_region_desc.flags: the memory is the caller's */
#define ZCRX_REGION_USER	1

/**
 * struct zcrx_region_desc - memory that is shared with the kernel
 * @addr: where it starts, page aligned
 * @size: bytes, whole pages
 * @flags: ZCRX_REGION_USER
 * @id: 0
 * @mmap_offset: 0
 * @resv: 0
 */
struct zcrx_region_desc {
	uint64_t addr;
	uint64_t size;
	uint32_t flags;
	uint32_t id;
	uint64_t mmap_offset;
	uint64_t resv[4];
};

/* Bits of struct zcrx_event_reg.types, and res of the completions that tell them */
#define ZCRX_NOTIFY_ALLOC_FAIL	0	/* the NIC found no buffer */
#define ZCRX_NOTIFY_COPY	1	/* data was copied */

/* struct zcrx_event_reg.flags: @stats_offset is valid */
#define ZCRX_EVENT_STATS	1

/**
 * struct zcrx_event_reg - which events become completions, and where counters are
 * @user_data: of the completions
 * @types: bits of ZCRX_NOTIFY_*; each comes once, until it is armed again
 * @flags: ZCRX_EVENT_STATS
 * @stats_offset: of struct zcrx_kernel_stats in the refill ring's region, behind
 *	the entries
 * @resv: 0
 */
struct zcrx_event_reg {
	uint64_t user_data;
	uint32_t types;
	uint32_t flags;
	uint64_t stats_offset;
	uint64_t resv[9];
};

/**
 * struct zcrx_kernel_stats - what the kernel counts
 * @copy_count: fragments that were copied into the area
 * @copy_bytes: bytes of them
 *
 * Linux 7.3 counts fragments in pages that are not the area's. It also copies,
 * and does not count, the linear part of packets: payload that came without
 * header split.
 */
struct zcrx_kernel_stats {
	uint64_t copy_count;
	uint64_t copy_bytes;
};

/* struct zcrx_ifq_reg.flags: no interface, which must be 0 as its queue; all data is copied (7.1) */
#define ZCRX_REG_NODEV		2

/**
 * struct zcrx_ifq_reg - argument of ZCRX_REGISTER_IFQ
 * @if_idx: interface index
 * @if_rxq: its RX queue
 * @rq_entries: refill ring entries, a power of two
 * @flags: ZCRX_REG_*
 * @area: address of a struct zcrx_area_reg
 * @region: address of a struct zcrx_region_desc
 * @offsets: out
 * @id: out: zcrx_ifq_idx of requests
 * @rx_buf_len: in: 0 for pages; out: what it became
 * @events: address of a struct zcrx_event_reg or 0; must be 0 where the kernel
 *	does not say that it has ZCRX_FEATURE_EVENT
 * @resv: 0
 */
struct zcrx_ifq_reg {
	uint32_t if_idx;
	uint32_t if_rxq;
	uint32_t rq_entries;
	uint32_t flags;
	uint64_t area;
	uint64_t region;
	struct zcrx_offsets offsets;
	uint32_t id;
	uint32_t rx_buf_len;
	uint64_t events;
	uint64_t resv[2];
};

/* struct zcrx_ctrl.op */
#define ZCRX_CTRL_OP_FLUSH	0	/* take all refill entries now */
#define ZCRX_CTRL_OP_ARM_EVENT	2	/* tell an event again */
#define ZCRX_CTRL_OP_ADD_AREA	3	/* receive into one more area (7.3) */

/**
 * struct zcrx_ctrl - argument of ZCRX_REGISTER_CTRL, whose number of arguments is 0
 * @id: of the ifq
 * @op: ZCRX_CTRL_OP_*
 * @resv: 0
 * @arg: ARM_EVENT: the event; ADD_AREA: address of a struct zcrx_area_reg; else 0
 * @resv2: 0
 */
struct zcrx_ctrl {
	uint32_t id;
	uint32_t op;
	uint64_t resv[2];
	union {
		uint32_t event;
		uint64_t area;
	} arg;
	uint64_t resv2[5];
};

#define ZCRX_QUERY_ZCRX		1

/**
 * struct zcrx_query - argument of ZCRX_REGISTER_QUERY, whose number of arguments is 0
 * @next: address of another one, or 0
 * @data: address of the answer
 * @op: ZCRX_QUERY_*
 * @size: of the answer; out: of it, what is valid
 * @result: out: 0, -errno
 * @resv: 0
 */
struct zcrx_query {
	uint64_t next;
	uint64_t data;
	uint32_t op;
	uint32_t size;
	int32_t result;
	uint32_t resv[3];
};

#define ZCRX_FEATURE_BUF_LEN	(1U << 0)	/* struct zcrx_ifq_reg.rx_buf_len (7.0) */
#define ZCRX_FEATURE_EVENT	(1U << 1)

/**
 * struct zcrx_features - answer of ZCRX_QUERY_ZCRX
 * @register_flags: bits that struct zcrx_ifq_reg.flags takes
 * @area_flags: bits that struct zcrx_area_reg.flags takes
 * @ctrl_ops: operations of struct zcrx_ctrl that there are
 * @features: bits of ZCRX_FEATURE_*
 * @ring_header: bytes before the refill entries
 * @ring_header_align: of these
 * @resv: 0
 */
struct zcrx_features {
	uint64_t register_flags;
	uint64_t area_flags;
	uint32_t ctrl_ops;
	uint32_t features;
	uint32_t ring_header;
	uint32_t ring_header_align;
	uint64_t resv;
};

_Static_assert(sizeof(struct zcrx_rqe) == 16, "layout of the kernel");
_Static_assert(sizeof(struct zcrx_offsets) == 32, "layout of the kernel");
_Static_assert(sizeof(struct zcrx_area_reg) == 48, "layout of the kernel");
_Static_assert(sizeof(struct zcrx_region_desc) == 64, "layout of the kernel");
_Static_assert(sizeof(struct zcrx_event_reg) == 96, "layout of the kernel");
_Static_assert(sizeof(struct zcrx_ifq_reg) == 96, "layout of the kernel");
_Static_assert(sizeof(struct zcrx_ctrl) == 72, "layout of the kernel");
_Static_assert(sizeof(struct zcrx_query) == 40, "layout of the kernel");
_Static_assert(sizeof(struct zcrx_features) == 40, "layout of the kernel");

#endif
