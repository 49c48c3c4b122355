/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * Zero copy receive into registered buffers: interface queues (ifq), their
 * mmapped refill and completion rings, and what they count.
 *
 * IORING_OP_RECV_ZC has the number and the SQE fields that it has in Linux
 * 6.15 and later: fd, len (read limit in bytes, 0 for none), ioprio flags,
 * zcrx_ifq_idx. What differs is how received data is announced, and that is
 * decided by the registration that made the ifq: one made with
 * IORING_REGISTER_ZC_RX_IFQ announces data in its own completion ring.
 */
#ifndef LINUX_IO_URING_ZC_RX_H
#define LINUX_IO_URING_ZC_RX_H

#include <linux/types.h>

/*
 * Registration opcodes and mmap offset. All lie outside of what other kernel
 * versions assign, so that a program for one of them gets a clean -EINVAL
 * here and the other way round. To find out whether a kernel knows the opcode,
 * register a NULL argument: -EFAULT means that it does, -EINVAL that it doesn't.
 */
#define IORING_REGISTER_ZC_RX_IFQ_NR	96
#define IORING_REGISTER_ZC_RX_CTRL_NR	97

/* mmap(2) offset of the rings of ifq @id: base | (id << shift) */
#define IORING_OFF_RBUF_RING		0x50000000ULL
#define IORING_OFF_RBUF_SHIFT		16

/**
 * struct io_uring_rbuf_rqe - refill ring entry: a piece given back by the user
 * @off: any byte offset inside the page that is given back, bytes from the
 *	start of the region; the @off of the completion will do
 * @len: ignored; the @len of the completion will do
 * @region: region id, the one of the completion
 * @__pad: must be 0
 *
 * One entry gives back what one &struct io_uring_rbuf_cqe handed out. An entry
 * that names no page of a region, or a page of which the user holds nothing,
 * is counted in @bad_rqes and has no other effect.
 */
struct io_uring_rbuf_rqe {
	__u32	off;
	__u32	len;
	__u16	region;
	__u8	__pad[6];
};

/* struct io_uring_rbuf_cqe.flags: the bytes were copied into the region */
#define IORING_RBUF_CQE_F_COPY		(1U << 0)

/**
 * struct io_uring_rbuf_cqe - completion ring entry: a piece of received data
 * @off: where the data starts, bytes from the start of the region
 * @len: bytes of data; a piece never crosses a page
 * @region: region id
 * @flags: IORING_RBUF_CQE_F_*
 * @__pad: 0
 *
 * The entries of one IORING_OP_RECV_ZC completion are adjacent, in stream
 * order, and their @len adds up to the res of that completion. Completions and
 * groups of entries have the same order, whatever the number of sockets.
 */
struct io_uring_rbuf_cqe {
	__u32	off;
	__u32	len;
	__u16	region;
	__u8	flags;
	__u8	__pad[5];
};

/* Offsets into the mapping, in bytes; head and tail are __u32 */
struct io_rbuf_rqring_offsets {
	__u32	head;
	__u32	tail;
	__u32	rqes;
	__u32	__resv;
};

struct io_rbuf_cqring_offsets {
	__u32	head;
	__u32	tail;
	__u32	cqes;
	__u32	__resv;
};

/**
 * struct io_uring_zc_rx_stats - what an ifq counts, in the shared mapping
 * @zc_bytes: bytes that the NIC wrote where the user reads them
 * @zc_frags: completion ring entries that announced them
 * @copy_linear_bytes: bytes copied out of the linear part of packets
 * @copy_linear_frags: completion ring entries that announced them
 * @copy_foreign_bytes: bytes copied out of pages that are not the ifq's: of
 *	other queues, of loopback
 * @copy_foreign_frags: completion ring entries that announced them
 * @copy_no_buffer: times that a copy found no free page in the region
 * @alloc_fail: times that the NIC's refill found no free page in the region
 * @cq_full: times that a receive stopped since the completion ring was full
 * @bad_rqes: refill entries that were rejected
 * @copy_spare_bytes: bytes copied out of pages of the kernel that the NIC was
 *	given as the regions had no free page
 * @copy_spare_frags: completion ring entries that announced them
 * @unbound: 1 when the RX queue was taken away, since its interface was
 *	unregistered or moved to another network namespace; what comes on other
 *	ways is copied
 * @__resv: 0
 *
 * Written by the kernel only, and never read back by it.
 */
struct io_uring_zc_rx_stats {
	__u64	zc_bytes;
	__u64	zc_frags;
	__u64	copy_linear_bytes;
	__u64	copy_linear_frags;
	__u64	copy_foreign_bytes;
	__u64	copy_foreign_frags;
	__u64	copy_no_buffer;
	__u64	alloc_fail;
	__u64	cq_full;
	__u64	bad_rqes;
	__u64	copy_spare_bytes;
	__u64	copy_spare_frags;
	__u64	unbound;
	__u64	__resv[3];
};

/* struct io_uring_zc_rx_ifq_reg.flags */
/* @cpu is valid: run the queue's interrupt, and so its NAPI, on that CPU */
#define IORING_ZC_RX_IFQ_CPU		(1U << 0)

/**
 * struct io_uring_zc_rx_ifq_reg - argument of IORING_REGISTER_ZC_RX_IFQ
 * @if_idx: interface index, in the network namespace of the caller
 * @if_rxq_id: RX queue of that interface
 * @region_id: index of the registered buffer (IORING_REGISTER_BUFFERS) that
 *	receives the data; page aligned at both ends, at most 1 GiB. More can
 *	be added later with IORING_ZC_RX_CTRL_ADD_REGION
 * @rq_entries: refill ring entries, a power of two, at most 32768
 * @cq_entries: completion ring entries, a power of two, at most 65536
 * @flags: IORING_ZC_RX_IFQ_*, other bits must be 0
 * @cpu: with IORING_ZC_RX_IFQ_CPU the CPU, else 0
 * @__resv0: must be 0
 * @zcrx_ifq_idx: out: what to put into the field of that name of the SQE
 * @mmap_off: out: offset for mmap(2) of the ring's file descriptor
 * @mmap_sz: out: length for that mmap(2), a multiple of the page size
 * @rq_off: out: where the refill ring is in the mapping
 * @cq_off: out: where the completion ring is in the mapping
 * @stats_off: out: where &struct io_uring_zc_rx_stats is in the mapping
 * @reason_len: size in bytes of what @reason points to
 * @reason: address of a char array, or 0; when registration is refused, a
 *	sentence that says why, NUL terminated, cut to @reason_len
 * @__resv: must be 0
 */
struct io_uring_zc_rx_ifq_reg {
	__u32	if_idx;
	__u32	if_rxq_id;
	__u32	region_id;
	__u32	rq_entries;
	__u32	cq_entries;
	__u32	flags;
	__u16	cpu;
	__u16	__resv0;
	__u32	zcrx_ifq_idx;
	__u64	mmap_off;
	__u64	mmap_sz;
	struct io_rbuf_rqring_offsets rq_off;
	struct io_rbuf_cqring_offsets cq_off;
	__u32	stats_off;
	__u32	reason_len;
	__u64	reason;
	__u64	__resv[4];
};

/**
 * enum io_uring_zc_rx_ctrl_op - what IORING_REGISTER_ZC_RX_CTRL can do
 * @IORING_ZC_RX_CTRL_ADD_REGION: let the ifq receive into one more registered
 *	buffer, named by @region_id. Data may be announced there as soon as the
 *	call has returned, and until the ifq ends.
 * @IORING_ZC_RX_CTRL_FLUSH_RQ: take what is in the refill ring now, though the
 *	device asks for nothing. Returns how many entries that were.
 * @IORING_ZC_RX_CTRL_UNREGISTER: end the ifq as the end of the ring would: the
 *	RX queue is free for others, what the user holds is taken back, the
 *	rings are dead memory. Refused while requests of the ifq are under way.
 */
enum io_uring_zc_rx_ctrl_op {
	IORING_ZC_RX_CTRL_ADD_REGION	= 0,
	IORING_ZC_RX_CTRL_FLUSH_RQ	= 1,
	IORING_ZC_RX_CTRL_UNREGISTER	= 2,
};

/**
 * struct io_uring_zc_rx_ctrl - argument of IORING_REGISTER_ZC_RX_CTRL
 * @zcrx_ifq_idx: the ifq, as its registration returned it
 * @op: one of &enum io_uring_zc_rx_ctrl_op
 * @region_id: for IORING_ZC_RX_CTRL_ADD_REGION: index of a registered buffer,
 *	page aligned at both ends, which is no region of the ifq yet; else 0
 * @reason_len: size in bytes of what @reason points to
 * @reason: as in &struct io_uring_zc_rx_ifq_reg
 * @__resv: must be 0
 */
struct io_uring_zc_rx_ctrl {
	__u32	zcrx_ifq_idx;
	__u32	op;
	__u32	region_id;
	__u32	reason_len;
	__u64	reason;
	__u64	__resv[4];
};

#endif
