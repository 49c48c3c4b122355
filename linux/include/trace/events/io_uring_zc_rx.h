/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM io_uring_zc_rx

#if !defined(_TRACE_IO_URING_ZC_RX_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_IO_URING_ZC_RX_H

#include <linux/tracepoint.h>
#include <linux/types.h>

/* The RX queue names the ifq: it has one, and the user knows it */
DECLARE_EVENT_CLASS(io_zc_rx_ifq,

	TP_PROTO(unsigned int ifindex, unsigned int queue),

	TP_ARGS(ifindex, queue),

	TP_STRUCT__entry(
		__field(unsigned int,	ifindex)
		__field(unsigned int,	queue)
	),

	TP_fast_assign(
		__entry->ifindex	= ifindex;
		__entry->queue		= queue;
	),

	TP_printk("ifindex=%u queue=%u", __entry->ifindex, __entry->queue)
);

/**
 * io_zc_rx_unbind - an RX queue is no ifq's any more
 * @ifindex: interface
 * @queue: RX queue
 *
 * The device writes to no buffer of the ifq after this.
 */
DEFINE_EVENT(io_zc_rx_ifq, io_zc_rx_unbind,
	TP_PROTO(unsigned int ifindex, unsigned int queue),
	TP_ARGS(ifindex, queue)
);

/**
 * io_zc_rx_free - an ifq is freed, all of its buffers have come home
 * @ifindex: interface that it was registered for
 * @queue: RX queue
 */
DEFINE_EVENT(io_zc_rx_ifq, io_zc_rx_free,
	TP_PROTO(unsigned int ifindex, unsigned int queue),
	TP_ARGS(ifindex, queue)
);

/**
 * io_zc_rx_alloc_fail - the NIC's refill found no free page in the regions
 * @ifindex: interface
 * @queue: RX queue
 */
DEFINE_EVENT(io_zc_rx_ifq, io_zc_rx_alloc_fail,
	TP_PROTO(unsigned int ifindex, unsigned int queue),
	TP_ARGS(ifindex, queue)
);

/**
 * io_zc_rx_cq_full - a receive stops since the completion ring is full
 * @ifindex: interface
 * @queue: RX queue
 */
DEFINE_EVENT(io_zc_rx_ifq, io_zc_rx_cq_full,
	TP_PROTO(unsigned int ifindex, unsigned int queue),
	TP_ARGS(ifindex, queue)
);

/**
 * io_zc_rx_bind - an attempt to bind an RX queue to an ifq has ended
 * @ifindex: interface
 * @queue: RX queue
 * @nr_bufs: pages that the ifq has
 * @ret: 0 or an error
 */
TRACE_EVENT(io_zc_rx_bind,

	TP_PROTO(unsigned int ifindex, unsigned int queue, u32 nr_bufs,
		 int ret),

	TP_ARGS(ifindex, queue, nr_bufs, ret),

	TP_STRUCT__entry(
		__field(unsigned int,	ifindex)
		__field(unsigned int,	queue)
		__field(u32,		nr_bufs)
		__field(int,		ret)
	),

	TP_fast_assign(
		__entry->ifindex	= ifindex;
		__entry->queue		= queue;
		__entry->nr_bufs	= nr_bufs;
		__entry->ret		= ret;
	),

	TP_printk("ifindex=%u queue=%u nr_bufs=%u ret=%d", __entry->ifindex,
		  __entry->queue, __entry->nr_bufs, __entry->ret)
);

/**
 * io_zc_rx_recv - a receive has looked at a socket
 * @ifindex: interface
 * @queue: RX queue
 * @user_data: what the user calls the request
 * @skbs: socket buffers looked at
 * @ret: bytes announced, 0 at the end of the stream, or an error
 */
TRACE_EVENT(io_zc_rx_recv,

	TP_PROTO(unsigned int ifindex, unsigned int queue, u64 user_data,
		 unsigned int skbs, int ret),

	TP_ARGS(ifindex, queue, user_data, skbs, ret),

	TP_STRUCT__entry(
		__field(unsigned int,	ifindex)
		__field(unsigned int,	queue)
		__field(u64,		user_data)
		__field(unsigned int,	skbs)
		__field(int,		ret)
	),

	TP_fast_assign(
		__entry->ifindex	= ifindex;
		__entry->queue		= queue;
		__entry->user_data	= user_data;
		__entry->skbs		= skbs;
		__entry->ret		= ret;
	),

	TP_printk("ifindex=%u queue=%u user_data=0x%llx skbs=%u ret=%d",
		  __entry->ifindex, __entry->queue, __entry->user_data,
		  __entry->skbs, __entry->ret)
);

/**
 * io_zc_rx_copy - payload had to be copied into a region
 * @ifindex: interface
 * @queue: RX queue
 * @why: enum io_zc_rx_copy: 0 linear, 1 foreign page, 2 spare page
 * @len: bytes
 */
TRACE_EVENT(io_zc_rx_copy,

	TP_PROTO(unsigned int ifindex, unsigned int queue, unsigned int why,
		 unsigned int len),

	TP_ARGS(ifindex, queue, why, len),

	TP_STRUCT__entry(
		__field(unsigned int,	ifindex)
		__field(unsigned int,	queue)
		__field(unsigned int,	why)
		__field(unsigned int,	len)
	),

	TP_fast_assign(
		__entry->ifindex	= ifindex;
		__entry->queue		= queue;
		__entry->why		= why;
		__entry->len		= len;
	),

	TP_printk("ifindex=%u queue=%u why=%s len=%u", __entry->ifindex,
		  __entry->queue,
		  __print_symbolic(__entry->why, { 0, "linear" },
				   { 1, "foreign" }, { 2, "spare" }),
		  __entry->len)
);

/**
 * io_zc_rx_bad_rqe - a refill entry is rejected
 * @ifindex: interface
 * @queue: RX queue
 * @region: region id of the entry
 * @off: offset of the entry, bytes
 */
TRACE_EVENT(io_zc_rx_bad_rqe,

	TP_PROTO(unsigned int ifindex, unsigned int queue, u16 region,
		 u32 off),

	TP_ARGS(ifindex, queue, region, off),

	TP_STRUCT__entry(
		__field(unsigned int,	ifindex)
		__field(unsigned int,	queue)
		__field(u16,		region)
		__field(u32,		off)
	),

	TP_fast_assign(
		__entry->ifindex	= ifindex;
		__entry->queue		= queue;
		__entry->region		= region;
		__entry->off		= off;
	),

	TP_printk("ifindex=%u queue=%u region=%u off=%u", __entry->ifindex,
		  __entry->queue, __entry->region, __entry->off)
);

#endif /* _TRACE_IO_URING_ZC_RX_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
