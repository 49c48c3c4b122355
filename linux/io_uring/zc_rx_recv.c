// SPDX-License-Identifier: GPL-2.0
/*
 * IORING_OP_RECV_ZC: what a TCP socket has received, announced where it lies.
 *
 * Payload in a buffer of the ifq is handed to the user as it is. Payload that
 * is elsewhere, in the linear part of an skb or in a page that is not the
 * ifq's, is copied into a buffer of the ifq, so that the user finds all of the
 * stream in its region.
 */
#include <linux/io_uring.h>
#include <linux/net.h>
#include <linux/skbuff.h>
#include <net/page_pool/helpers.h>
#include <net/rps.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <trace/events/io_uring_zc_rx.h>

#include "io_uring.h"
#include "zc_rx.h"

/* A socket gets no further turn before others had theirs after so many skbs */
#define IO_ZC_RX_SKBS_PER_CALL	20

/* More skbs than that nest in no frag_list that the stack builds */
#define IO_ZC_RX_MAX_NESTING	4

struct io_recvzc {
	struct file *file;
	struct io_zc_rx_ifq *ifq;
	u32 len;
	u16 flags;
};

/**
 * struct io_zc_rx_call - one pass over a socket's receive queue
 * @ifq: ifq
 * @nr_skbs: skbs looked at
 * @more: the socket has more to say, and may not wake us up for that
 */
struct io_zc_rx_call {
	struct io_zc_rx_ifq *ifq;
	unsigned int nr_skbs;
	bool more;
};

/* Why bytes have to be copied */
enum io_zc_rx_copy { IO_ZC_RX_LINEAR, IO_ZC_RX_FOREIGN, IO_ZC_RX_SPARE };

/* The caller has made sure of a free completion entry */
static void io_zc_rx_give(struct io_zc_rx_ifq *ifq, struct net_iov *niov,
			  unsigned int off, unsigned int len, u8 flags)
{
	struct io_uring_rbuf_cqe cqe = {
		.off	= (io_zc_rx_niov_idx(niov) << PAGE_SHIFT) + off,
		.len	= len,
		.region	= io_zc_rx_niov_region(niov)->id,
		.flags	= flags,
	};

	io_zc_rx_user_get(niov);
	io_rbuf_cq_put(&ifq->rings, &cqe);
}

static int io_zc_rx_cq_check(struct io_zc_rx_ifq *ifq)
{
	if (io_rbuf_cq_space(&ifq->rings))
		return 0;
	io_zc_rx_count(ifq, cq_full, 1);
	trace_io_zc_rx_cq_full(ifq->ifindex, ifq->zc.queue_id);
	return -ENOBUFS;
}

static void io_zc_rx_copy_buf_done(struct io_zc_rx_ifq *ifq)
{
	struct net_iov *niov = ifq->copy_niov;

	ifq->copy_niov = NULL;
	if (!page_pool_unref_netmem(net_iov_to_netmem(niov), 1))
		io_zc_rx_release(niov);
}

/* Copies share buffers: a stream of small packets would use one up for each */
static int io_zc_rx_copy_buf_check(struct io_zc_rx_ifq *ifq)
{
	if (ifq->copy_niov && ifq->copy_off == PAGE_SIZE)
		io_zc_rx_copy_buf_done(ifq);
	if (ifq->copy_niov)
		return 0;

	ifq->copy_niov = io_zc_rx_get_copy_buf(ifq);
	ifq->copy_off = 0;
	if (ifq->copy_niov)
		return 0;
	io_zc_rx_count(ifq, copy_no_buffer, 1);
	return -ENOMEM;
}

static void io_zc_rx_count_copy(struct io_zc_rx_ifq *ifq,
				enum io_zc_rx_copy kind, unsigned int len)
{
	trace_io_zc_rx_copy(ifq->ifindex, ifq->zc.queue_id, kind, len);
	switch (kind) {
	case IO_ZC_RX_LINEAR:
		io_zc_rx_count(ifq, copy_linear_bytes, len);
		io_zc_rx_count(ifq, copy_linear_frags, 1);
		break;
	case IO_ZC_RX_FOREIGN:
		io_zc_rx_count(ifq, copy_foreign_bytes, len);
		io_zc_rx_count(ifq, copy_foreign_frags, 1);
		break;
	case IO_ZC_RX_SPARE:
		io_zc_rx_count(ifq, copy_spare_bytes, len);
		io_zc_rx_count(ifq, copy_spare_frags, 1);
		break;
	}
}

/* Bytes copied, or an error if none was */
static int io_zc_rx_copy(struct io_zc_rx_ifq *ifq, const void *from, int len,
			 enum io_zc_rx_copy kind)
{
	int done = 0, ret = 0;

	while (done < len) {
		unsigned int n;

		ret = io_zc_rx_cq_check(ifq) ?: io_zc_rx_copy_buf_check(ifq);
		if (ret)
			break;

		n = min_t(unsigned int, len - done, PAGE_SIZE - ifq->copy_off);
		memcpy(page_address(ifq->copy_niov->page) + ifq->copy_off,
		       from + done, n);
		io_zc_rx_give(ifq, ifq->copy_niov, ifq->copy_off, n,
			      IORING_RBUF_CQE_F_COPY);
		ifq->copy_off += n;
		done += n;

		io_zc_rx_count_copy(ifq, kind, n);
	}
	return done ?: ret;
}

/* The buffer of the ifq that a frag lies in, NULL if it lies elsewhere */
static struct net_iov *io_zc_rx_own_frag(const struct io_zc_rx_ifq *ifq,
					 const skb_frag_t *frag)
{
	struct net_iov *niov;

	if (!skb_frag_fixed(frag))
		return NULL;
	niov = skb_frag_net_iov(frag);
	if (niov->pp->mp_ops != &io_zc_rx_mp_ops || niov->pp->mp_priv != ifq)
		return NULL;
	return niov;
}

/*
 * The NIC was given a page of the kernel for this queue, see data_pool_alloc().
 * Only an skb that refers to the pages of a pool as the pool does keeps them in
 * it; others hold a page which may leave its pool meanwhile.
 */
static bool io_zc_rx_is_spare(const struct io_zc_rx_ifq *ifq,
			      const struct sk_buff *skb, struct page *page)
{
	const struct page_pool *pp;

	page = compound_head(page);
	if (!skb->pp_recycle || !page_pool_page_is_pp(page))
		return false;
	pp = page->pp;
	return pp->slow.netdev == READ_ONCE(ifq->netdev) &&
	       pp->slow.queue_idx == ifq->zc.queue_id;
}

/* Bytes announced, or an error if none was */
static int io_zc_rx_frag(struct io_zc_rx_ifq *ifq, const struct sk_buff *skb,
			 const skb_frag_t *frag, unsigned int off, int len)
{
	struct net_iov *niov = io_zc_rx_own_frag(ifq, frag);
	struct page *page;
	int ret;

	off += skb_frag_off(frag);
	if (!niov) {
		page = skb_frag_page(frag);
		/* device memory: only its own interface can read it */
		if (!page)
			return -EFAULT;
		return io_zc_rx_copy(ifq, page_address(page) + off, len,
				     io_zc_rx_is_spare(ifq, skb, page) ?
				     IO_ZC_RX_SPARE : IO_ZC_RX_FOREIGN);
	}

	ret = io_zc_rx_cq_check(ifq);
	if (ret)
		return ret;
	io_zc_rx_give(ifq, niov, off, len, 0);
	io_zc_rx_count(ifq, zc_bytes, len);
	io_zc_rx_count(ifq, zc_frags, 1);
	return len;
}

/*
 * The part of [*off, *off + len) that is in a piece of the skb of @size bytes.
 * Moves *off past the piece otherwise.
 */
static int io_zc_rx_overlap(unsigned int *off, int len, unsigned int size)
{
	if (*off >= size) {
		*off -= size;
		return 0;
	}
	return min_t(unsigned int, len, size - *off);
}

/* Bytes announced, less than @len for a reason; an error if none was */
static int io_zc_rx_skb(struct io_zc_rx_ifq *ifq, struct sk_buff *skb,
			unsigned int off, int len, unsigned int nesting)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	struct sk_buff *iter;
	int i, n, done = 0, ret = 0;

	if (nesting > IO_ZC_RX_MAX_NESTING)
		return -EFAULT;

	n = io_zc_rx_overlap(&off, len, skb_headlen(skb));
	if (n) {
		ret = io_zc_rx_copy(ifq, skb->data + off, n, IO_ZC_RX_LINEAR);
		if (ret < n)
			return ret;
		done += n;
		off = 0;
	}

	for (i = 0; i < shinfo->nr_frags && done < len; i++) {
		const skb_frag_t *frag = &shinfo->frags[i];

		n = io_zc_rx_overlap(&off, len - done, skb_frag_size(frag));
		if (!n)
			continue;
		ret = io_zc_rx_frag(ifq, skb, frag, off, n);
		if (ret > 0)
			done += ret;
		if (ret < n)
			return done ?: ret;
		off = 0;
	}

	skb_walk_frags(skb, iter) {
		if (done == len)
			break;
		n = io_zc_rx_overlap(&off, len - done, iter->len);
		if (!n)
			continue;
		ret = io_zc_rx_skb(ifq, iter, off, n, nesting + 1);
		if (ret > 0)
			done += ret;
		if (ret < n)
			return done ?: ret;
		off = 0;
	}
	return done;
}

static int io_zc_rx_actor(read_descriptor_t *desc, struct sk_buff *skb,
			  unsigned int off, size_t len)
{
	struct io_zc_rx_call *call = desc->arg.data;
	int ret;

	len = min_t(size_t, len, desc->count);
	if (!len)
		return 0;
	if (call->nr_skbs++ == IO_ZC_RX_SKBS_PER_CALL) {
		call->more = true;
		return -EAGAIN;
	}
	ret = io_zc_rx_skb(call->ifq, skb, off, len, 0);
	if (ret > 0)
		desc->count -= ret;
	if (ret != len)
		call->more = true;
	return ret;
}

/* Whoever replaced recvmsg also sees or changes the stream: kTLS, MPTCP, sockmap */
static bool io_zc_rx_is_plain_tcp(const struct sock *sk)
{
	return READ_ONCE(sk->sk_prot)->recvmsg == tcp_recvmsg;
}

/* What a socket without data has to say */
static int io_zc_rx_sock_state(struct sock *sk)
{
	if (sock_flag(sk, SOCK_DONE))
		return 0;
	if (sk->sk_err)
		return sock_error(sk);
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		return 0;
	if (sk->sk_state == TCP_CLOSE)
		return -ENOTCONN;
	return -EAGAIN;
}

/* Bytes announced, 0 at the end of the stream, or an error */
static int io_zc_rx_tcp_recv(struct io_zc_rx_call *call, struct sock *sk,
			     u32 limit)
{
	read_descriptor_t desc = {
		.arg.data	= call,
		.count		= limit ?: INT_MAX,
	};
	int ret;

	lock_sock(sk);
	/* the lock is what kept the socket from becoming something else */
	if (!io_zc_rx_is_plain_tcp(sk)) {
		release_sock(sk);
		return -EPROTONOSUPPORT;
	}
	sock_rps_record_flow(sk);
	/* Urgent bytes are part of the stream, as with SO_OOBINLINE.
	 * tcp_read_sock() does not get past one.
	 */
	if (unlikely(tcp_sk(sk)->urg_data)) {
		WRITE_ONCE(tcp_sk(sk)->urg_data, 0);
		tcp_fast_path_check(sk);
	}
	ret = tcp_read_sock(sk, &desc, io_zc_rx_actor);
	if (!ret)
		ret = io_zc_rx_sock_state(sk);
	else if (sk->sk_err || sk->sk_shutdown & RCV_SHUTDOWN)
		call->more = true;
	release_sock(sk);

	io_rbuf_cq_publish(&call->ifq->rings);
	return ret;
}

static int io_zc_rx_recv(struct io_zc_rx_call *call, struct socket *sock,
			 u32 limit)
{
	if (!io_zc_rx_is_plain_tcp(sock->sk))
		return -EPROTONOSUPPORT;
	if (call->ifq->closed)
		return -ECANCELED;
	return io_zc_rx_tcp_recv(call, sock->sk, limit);
}

/**
 * io_recvzc_prep - check the SQE of an IORING_OP_RECV_ZC
 * @req: request
 * @sqe: entry
 *
 * Context: process, under uring_lock.
 * Return: 0 or -EINVAL.
 */
int io_recvzc_prep(struct io_kiocb *req, const struct io_uring_sqe *sqe)
{
	struct io_recvzc *zc = io_kiocb_to_cmd(req, struct io_recvzc);

	if (READ_ONCE(sqe->addr2) || READ_ONCE(sqe->addr) ||
	    READ_ONCE(sqe->addr3) || READ_ONCE(sqe->__pad2[0]) ||
	    READ_ONCE(sqe->msg_flags) || READ_ONCE(sqe->buf_index))
		return -EINVAL;

	zc->len = READ_ONCE(sqe->len);
	zc->flags = READ_ONCE(sqe->ioprio);
	if (zc->flags & ~(IORING_RECVSEND_POLL_FIRST | IORING_RECV_MULTISHOT))
		return -EINVAL;

	zc->ifq = xa_load(&req->ctx->zc_rx_ifqs, READ_ONCE(sqe->zcrx_ifq_idx));
	if (!zc->ifq)
		return -EINVAL;

	/* A ring keeps its ifqs until its last request is gone, and lets nobody
	 * unregister one that has requests.
	 */
	zc->ifq->nr_reqs++;
	req->flags |= REQ_F_NEED_CLEANUP;

	/* One shot as well: others than data make the socket ready, such as
	 * notifications in its error queue, and a poll that is armed anew each
	 * time gives up after a while. Here no worker would then wait.
	 */
	req->flags |= REQ_F_APOLL_MULTISHOT;
	return 0;
}

/**
 * io_recvzc_cleanup - undo io_recvzc_prep()
 * @req: request that is being freed
 *
 * Context: process, under uring_lock.
 */
void io_recvzc_cleanup(struct io_kiocb *req)
{
	struct io_recvzc *zc = io_kiocb_to_cmd(req, struct io_recvzc);

	lockdep_assert_held(&req->ctx->uring_lock);
	zc->ifq->nr_reqs--;
}

static int io_recvzc_finish(struct io_kiocb *req, int res,
			    unsigned int issue_flags)
{
	if (res < 0) {
		if (res == -ERESTARTSYS)
			res = -EINTR;
		req_set_fail(req);
	}
	io_req_set_res(req, res, 0);
	return issue_flags & IO_URING_F_MULTISHOT ? IOU_STOP_MULTISHOT : IOU_OK;
}

/**
 * io_recvzc - do an IORING_OP_RECV_ZC
 * @req: request
 * @issue_flags: IO_URING_F_*
 *
 * Completions have to have the order of the entries in the completion ring, so
 * that all run in the task that submits: &io_issue_def.no_iowq.
 *
 * Context: the task that submits, under uring_lock.
 * Return: as an issue handler.
 */
int io_recvzc(struct io_kiocb *req, unsigned int issue_flags)
{
	struct io_recvzc *zc = io_kiocb_to_cmd(req, struct io_recvzc);
	struct io_zc_rx_call call = { .ifq = zc->ifq };
	struct socket *sock;
	int ret;

	if (WARN_ON_ONCE(issue_flags & IO_URING_F_UNLOCKED))
		return -EFAULT;

	sock = sock_from_file(req->file);
	if (unlikely(!sock))
		return -ENOTSOCK;

	if (!(req->flags & REQ_F_POLLED) &&
	    (zc->flags & IORING_RECVSEND_POLL_FIRST))
		return -EAGAIN;

	ret = io_zc_rx_recv(&call, sock, zc->len);
	trace_io_zc_rx_recv(zc->ifq->ifindex, zc->ifq->zc.queue_id,
			    req->cqe.user_data, call.nr_skbs, ret);
	if (ret == -EAGAIN)
		return issue_flags & IO_URING_F_MULTISHOT ?
			IOU_ISSUE_SKIP_COMPLETE : -EAGAIN;

	if (ret > 0 && zc->len) {
		zc->len -= ret;
		if (!zc->len)
			return io_recvzc_finish(req, ret, issue_flags);
	}
	if (ret <= 0 || !(zc->flags & IORING_RECV_MULTISHOT) ||
	    !io_req_post_cqe(req, ret, IORING_CQE_F_MORE))
		return io_recvzc_finish(req, ret, issue_flags);

	if (!(issue_flags & IO_URING_F_MULTISHOT))
		return -EAGAIN;
	/* another look at once would be unfair to the others */
	return call.more ? IOU_REQUEUE : IOU_ISSUE_SKIP_COMPLETE;
}
