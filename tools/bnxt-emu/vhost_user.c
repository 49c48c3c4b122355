// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vhost-user back end.
 *
 * The front end (User Mode Linux, arch/um/drivers/virtio_uml.c) connects to a
 * UNIX socket, negotiates features, hands over its memory as file descriptors
 * and each queue as three addresses and two descriptors. From then on the
 * socket is silent: kicks and calls go through the descriptors, data through
 * the shared memory.
 *
 * The order of a User Mode Linux 6.12: SET_OWNER, GET_FEATURES,
 * GET/SET_PROTOCOL_FEATURES, SET_SLAVE_REQ_FD, SET_FEATURES, SET_MEM_TABLE,
 * then for each queue SET_VRING_CALL, NUM, BASE, ADDR, and at last KICK and
 * ENABLE. It needs protocol feature SLAVE_REQ, else it has no interrupt for
 * the queues.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/virtio_config.h>

#include "sigbus.h"
#include "unix_socket.h"
#include "vhost_user.h"

#define VU_VERSION		1u
#define VU_VERSION_MASK		3u
#define VU_FLAG_REPLY		(1u << 2)
#define VU_FLAG_NEED_REPLY	(1u << 3)

#define VU_F_PROTOCOL_FEATURES	30
#define VU_PROTOCOL_F_REPLY_ACK	3
#define VU_PROTOCOL_F_SLAVE_REQ	5

#define VU_VRING_INDEX_MASK	0xffu
#define VU_VRING_NOFD_MASK	(1u << 8)

#define VU_FEATURES		(1ull << VIRTIO_F_VERSION_1 | 1ull << VU_F_PROTOCOL_FEATURES)
#define VU_PROTOCOL_FEATURES (1ull << VU_PROTOCOL_F_REPLY_ACK | 1ull << VU_PROTOCOL_F_SLAVE_REQ)

#define VU_MAX_REGIONS		8
#define VU_MAX_FDS		VU_MAX_REGIONS

enum vu_request {
	VU_GET_FEATURES = 1,
	VU_SET_FEATURES = 2,
	VU_SET_OWNER = 3,
	VU_RESET_OWNER = 4,
	VU_SET_MEM_TABLE = 5,
	VU_SET_VRING_NUM = 8,
	VU_SET_VRING_ADDR = 9,
	VU_SET_VRING_BASE = 10,
	VU_GET_VRING_BASE = 11,
	VU_SET_VRING_KICK = 12,
	VU_SET_VRING_CALL = 13,
	VU_SET_VRING_ERR = 14,
	VU_GET_PROTOCOL_FEATURES = 15,
	VU_SET_PROTOCOL_FEATURES = 16,
	VU_GET_QUEUE_NUM = 17,
	VU_SET_VRING_ENABLE = 18,
	VU_SET_SLAVE_REQ_FD = 21,
};

struct vu_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size;		/* of the payload */
};

struct vu_state {
	uint32_t index;
	uint32_t num;
};

struct vu_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc, used, avail, log;	/* in the front end's address space */
};

struct vu_mem_region {
	uint64_t guest_addr;
	uint64_t size;
	uint64_t user_addr;
	uint64_t mmap_offset;
};

struct vu_mem {
	uint32_t num;
	uint32_t padding;
	struct vu_mem_region region[VU_MAX_REGIONS];
};

union vu_payload {
	uint64_t u64;
	struct vu_state state;
	struct vu_addr addr;
	struct vu_mem mem;
};

/* In memory only: on the socket no padding lies between the two */
struct vu_msg {
	struct vu_header hdr;
	union vu_payload p;
};

_Static_assert(sizeof(struct vu_header) == 12, "header layout");
_Static_assert(sizeof(struct vu_addr) == 40, "address layout");

struct vu_queue {
	struct vhost_user *vu;
	unsigned int index;
	struct virtqueue vq;
	bool running;		/* as last told to the device */
	int kick_fd;
	int call_fd;
};

struct vhost_user {
	struct loop *loop;
	const struct vhost_user_ops *ops;
	void *host;

	int listen_fd;
	int sock;
	int slave_fd;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];

	/* the message being received */
	uint8_t buf[sizeof(struct vu_header) + sizeof(union vu_payload)];
	size_t got;
	int fds[VU_MAX_FDS];
	unsigned int nfds;

	struct dma_map user;	/* front end address -> host: where the rings are */
	struct dma_region mem[VU_MAX_REGIONS];
	struct {
		void *base;
		size_t len;
	} map[VU_MAX_REGIONS];
	unsigned int nmem;

	unsigned int nqueues;
	struct vu_queue queue[VHOST_USER_MAX_QUEUES];
	char reason[96];	/* why the connection ended, where that takes numbers */
};

/*
 * Queues
 */

static void queue_update(struct vu_queue *q)
{
	bool running = vq_running(&q->vq);

	if (running == q->running)
		return;
	q->running = running;
	q->vu->ops->queue_state(q->vu->host, q->index, running);
}

static void queue_set_kick(struct vu_queue *q, int fd)
{
	if (q->kick_fd >= 0)
		loop_del(q->vu->loop, q->kick_fd);
	fd_close(&q->kick_fd);
	q->kick_fd = fd;
}

static void queue_kick_readable(void *arg)
{
	struct vu_queue *q = arg;
	uint64_t count;
	ssize_t n = read(q->kick_fd, &count, sizeof(count));

	if (n == sizeof(count))
		q->vu->ops->kicked(q->vu->host, q->index);
	/* what has hung up, or is nothing to read from, would wake the loop for ever */
	else if (!n || (n < 0 && errno != EAGAIN && errno != EINTR))
		queue_set_kick(q, -1);
}

static void queue_reset(struct vu_queue *q)
{
	vq_reset(&q->vq);
	queue_update(q);
	queue_set_kick(q, -1);
	fd_close(&q->call_fd);
}

/**
 * vhost_user_queue() - A queue of the device
 * @vu: the device
 * @queue: its number, below the configured one
 */
struct virtqueue *vhost_user_queue(struct vhost_user *vu, unsigned int queue)
{
	return &vu->queue[queue].vq;
}

/**
 * vhost_user_call() - Interrupt the driver for what was pushed to a queue
 * @vu: the device
 * @queue: its number
 *
 * Left out when the driver asked not to be called.
 */
void vhost_user_call(struct vhost_user *vu, unsigned int queue)
{
	struct vu_queue *q = &vu->queue[queue];
	const uint64_t one = 1;
	ssize_t n;

	if (q->call_fd < 0 || !vq_wants_call(&q->vq))
		return;
	/* a full pipe holds calls that were not seen yet, a broken one ends with the socket */
	n = write(q->call_fd, &one, sizeof(one));
	(void)n;
}

/*
 * Memory
 */

static void unmap_memory(struct vhost_user *vu)
{
	/* the rings lie in it */
	for (unsigned int i = 0; i < vu->nqueues; i++) {
		vq_reset(&vu->queue[i].vq);
		queue_update(&vu->queue[i]);
	}
	vu->ops->mem_changed(vu->host, NULL, 0);
	dma_map_clear(&vu->user);
	for (unsigned int i = 0; i < vu->nmem; i++) {
		sigbus_forget(vu->map[i].base);
		munmap(vu->map[i].base, vu->map[i].len);
	}
	vu->nmem = 0;
}

static bool map_region(struct vhost_user *vu, const struct vu_mem_region *r, int fd)
{
	unsigned int i = vu->nmem;
	uint64_t end;
	struct stat st;
	void *base;

	if (!r->size || __builtin_add_overflow(r->mmap_offset, r->size, &end) ||
	    r->guest_addr + r->size < r->guest_addr || r->user_addr + r->size < r->user_addr)
		return false;
	/* what lies beyond the end of the file can never be used; it may move later, see sigbus.c */
	if (fstat(fd, &st) || (uint64_t)st.st_size < end)
		return false;
	base = mmap(NULL, end, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (base == MAP_FAILED)
		return false;
	if (!sigbus_watch(base, end, sysconf(_SC_PAGESIZE))) {
		munmap(base, end);
		return false;
	}
	vu->map[i].base = base;
	vu->map[i].len = end;
	vu->nmem++;
	vu->mem[i] = (struct dma_region){
		.iova = r->guest_addr,
		.size = r->size,
		.host = (uint8_t *)base + r->mmap_offset,
	};
	return dma_map_add(&vu->user, r->user_addr, r->size, vu->mem[i].host);
}

/*
 * Requests. Each handler returns whether the request was good; a reply, if the
 * request has one, is left in the message with its size.
 */

static struct vu_queue *find_queue(struct vhost_user *vu, uint64_t index)
{
	return index < vu->nqueues ? &vu->queue[index] : NULL;
}

static int take_fd(struct vhost_user *vu)
{
	int fd;

	if (vu->nfds != 1)
		return -1;
	fd = vu->fds[0];
	vu->nfds = 0;
	return fd;
}

static bool do_nothing(struct vhost_user *vu, struct vu_msg *msg)
{
	(void)vu;
	(void)msg;
	return true;
}

static bool get_features(struct vhost_user *vu, struct vu_msg *msg)
{
	(void)vu;
	msg->p.u64 = VU_FEATURES;
	return true;
}

static bool set_features(struct vhost_user *vu, struct vu_msg *msg)
{
	(void)vu;
	return !(msg->p.u64 & ~VU_FEATURES) && (msg->p.u64 & 1ull << VIRTIO_F_VERSION_1);
}

static bool get_protocol_features(struct vhost_user *vu, struct vu_msg *msg)
{
	(void)vu;
	msg->p.u64 = VU_PROTOCOL_FEATURES;
	return true;
}

static bool set_protocol_features(struct vhost_user *vu, struct vu_msg *msg)
{
	(void)vu;
	return !(msg->p.u64 & ~VU_PROTOCOL_FEATURES);
}

static bool get_queue_num(struct vhost_user *vu, struct vu_msg *msg)
{
	msg->p.u64 = vu->nqueues;
	return true;
}

static bool reset_owner(struct vhost_user *vu, struct vu_msg *msg)
{
	(void)msg;
	for (unsigned int i = 0; i < vu->nqueues; i++)
		queue_reset(&vu->queue[i]);
	return true;
}

static bool set_slave_req_fd(struct vhost_user *vu, struct vu_msg *msg)
{
	int fd = take_fd(vu);

	(void)msg;
	if (fd < 0)
		return false;
	fd_close(&vu->slave_fd);
	vu->slave_fd = fd;
	return true;
}

static bool set_mem_table(struct vhost_user *vu, struct vu_msg *msg)
{
	const struct vu_mem *mem = &msg->p.mem;
	size_t need = offsetof(struct vu_mem, region) + (size_t)mem->num * sizeof(mem->region[0]);

	if (mem->num > VU_MAX_REGIONS || mem->num != vu->nfds || msg->hdr.size < need)
		return false;
	unmap_memory(vu);
	for (unsigned int i = 0; i < mem->num; i++) {
		if (!map_region(vu, &mem->region[i], vu->fds[i])) {
			unmap_memory(vu);
			return false;
		}
	}
	vu->ops->mem_changed(vu->host, vu->mem, vu->nmem);
	return true;
}

static bool set_vring_num(struct vhost_user *vu, struct vu_msg *msg)
{
	struct vu_queue *q = find_queue(vu, msg->p.state.index);

	return q && vq_set_num(&q->vq, msg->p.state.num);
}

static bool set_vring_addr(struct vhost_user *vu, struct vu_msg *msg)
{
	const struct vu_addr *a = &msg->p.addr;
	struct vu_queue *q = find_queue(vu, a->index);

	if (!q || !q->vq.num)
		return false;
	return vq_set_rings(&q->vq, dma_ptr(&vu->user, a->desc, vq_desc_bytes(q->vq.num)),
			    dma_ptr(&vu->user, a->avail, vq_avail_bytes(q->vq.num)),
			    dma_ptr(&vu->user, a->used, vq_used_bytes(q->vq.num)));
}

static bool set_vring_base(struct vhost_user *vu, struct vu_msg *msg)
{
	struct vu_queue *q = find_queue(vu, msg->p.state.index);

	if (!q || vq_running(&q->vq) || msg->p.state.num > UINT16_MAX)
		return false;
	q->vq.last_avail = msg->p.state.num;
	return true;
}

static bool get_vring_base(struct vhost_user *vu, struct vu_msg *msg)
{
	struct vu_queue *q = find_queue(vu, msg->p.state.index);

	if (!q)
		return false;
	q->vq.enabled = false;
	queue_update(q);
	msg->p.state.num = q->vq.last_avail;
	return true;
}

static bool set_vring_kick(struct vhost_user *vu, struct vu_msg *msg)
{
	struct vu_queue *q = find_queue(vu, msg->p.u64 & VU_VRING_INDEX_MASK);
	int fd = take_fd(vu);

	/* without a descriptor the device would have to poll: not offered, so not expected */
	if (!q || fd < 0 || (msg->p.u64 & VU_VRING_NOFD_MASK) || !fd_nonblock(fd)) {
		fd_close(&fd);
		return false;
	}
	queue_set_kick(q, fd);
	return loop_add(vu->loop, fd, queue_kick_readable, q);
}

static bool set_vring_call(struct vhost_user *vu, struct vu_msg *msg)
{
	struct vu_queue *q = find_queue(vu, msg->p.u64 & VU_VRING_INDEX_MASK);
	bool nofd = msg->p.u64 & VU_VRING_NOFD_MASK;
	int fd = take_fd(vu);

	/* it is a pipe: a guest that is slow to read it must not stop the device */
	if (!q || nofd != (fd < 0) || (fd >= 0 && !fd_nonblock(fd))) {
		fd_close(&fd);
		return false;
	}
	fd_close(&q->call_fd);
	q->call_fd = fd;
	return true;
}

static bool set_vring_enable(struct vhost_user *vu, struct vu_msg *msg)
{
	struct vu_queue *q = find_queue(vu, msg->p.state.index);

	if (!q || msg->p.state.num > 1)
		return false;
	q->vq.enabled = msg->p.state.num;
	queue_update(q);
	/* what was made available before is announced by nobody */
	if (q->running)
		vu->ops->kicked(vu->host, q->index);
	return true;
}

struct vu_handler {
	bool (*fn)(struct vhost_user *vu, struct vu_msg *msg);
	uint32_t size;		/* least bytes of payload */
	uint32_t reply;		/* bytes of payload of its own reply, 0 for none */
};

static const struct vu_handler handlers[] = {
	[VU_GET_FEATURES] = { get_features, 0, 8 },
	[VU_SET_FEATURES] = { set_features, 8, 0 },
	[VU_SET_OWNER] = { do_nothing, 0, 0 },
	[VU_RESET_OWNER] = { reset_owner, 0, 0 },
	[VU_SET_MEM_TABLE] = { set_mem_table, 8, 0 },
	[VU_SET_VRING_NUM] = { set_vring_num, sizeof(struct vu_state), 0 },
	[VU_SET_VRING_ADDR] = { set_vring_addr, sizeof(struct vu_addr), 0 },
	[VU_SET_VRING_BASE] = { set_vring_base, sizeof(struct vu_state), 0 },
	[VU_GET_VRING_BASE] = { get_vring_base, sizeof(struct vu_state), sizeof(struct vu_state) },
	[VU_SET_VRING_KICK] = { set_vring_kick, 8, 0 },
	[VU_SET_VRING_CALL] = { set_vring_call, 8, 0 },
	[VU_SET_VRING_ERR] = { do_nothing, 8, 0 },
	[VU_GET_PROTOCOL_FEATURES] = { get_protocol_features, 0, 8 },
	[VU_SET_PROTOCOL_FEATURES] = { set_protocol_features, 8, 0 },
	[VU_GET_QUEUE_NUM] = { get_queue_num, 0, 8 },
	[VU_SET_VRING_ENABLE] = { set_vring_enable, sizeof(struct vu_state), 0 },
	[VU_SET_SLAVE_REQ_FD] = { set_slave_req_fd, 0, 0 },
};

/*
 * Connection
 */

static void drop_fds(struct vhost_user *vu)
{
	while (vu->nfds)
		close(vu->fds[--vu->nfds]);
}

static void disconnect(struct vhost_user *vu)
{
	if (vu->sock < 0)
		return;
	loop_del(vu->loop, vu->sock);
	fd_close(&vu->sock);
	fd_close(&vu->slave_fd);
	drop_fds(vu);
	for (unsigned int i = 0; i < vu->nqueues; i++)
		queue_reset(&vu->queue[i]);
	unmap_memory(vu);
}

static void end_connection(struct vhost_user *vu, const char *reason)
{
	disconnect(vu);
	vu->ops->closed(vu->host, reason);
}

static bool send_reply(struct vhost_user *vu, struct vu_msg *msg, uint32_t size)
{
	struct iovec iov[2] = {
		{ .iov_base = &msg->hdr, .iov_len = sizeof(msg->hdr) },
		{ .iov_base = &msg->p, .iov_len = size },
	};
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = 2 };

	msg->hdr.flags = VU_VERSION | VU_FLAG_REPLY;
	msg->hdr.size = size;
	return sendmsg(vu->sock, &mh, MSG_NOSIGNAL | MSG_DONTWAIT) ==
	       (ssize_t)(sizeof(msg->hdr) + size);
}

/* Returns NULL, or what is wrong with the peer */
static const char *handle_msg(struct vhost_user *vu, struct vu_msg *msg)
{
	const struct vu_handler *h = NULL;
	bool want_ack = msg->hdr.flags & VU_FLAG_NEED_REPLY;
	bool good;

	if ((msg->hdr.flags & VU_VERSION_MASK) != VU_VERSION)
		return "vhost-user message of an unknown version";
	if (msg->hdr.request < sizeof(handlers) / sizeof(handlers[0]))
		h = &handlers[msg->hdr.request];
	good = h && h->fn && msg->hdr.size >= h->size && h->fn(vu, msg);
	drop_fds(vu);

	if (good && h->reply)
		return send_reply(vu, msg, h->reply) ? NULL : "vhost-user reply could not be sent";
	if (want_ack) {
		msg->p.u64 = !good;
		return send_reply(vu, msg, 8) ? NULL : "vhost-user reply could not be sent";
	}
	if (good)
		return NULL;
	snprintf(vu->reason, sizeof(vu->reason),
		 "vhost-user request %u (%u bytes) is not known or not valid", msg->hdr.request,
		 msg->hdr.size);
	return vu->reason;
}

static void sock_readable(void *arg)
{
	struct vhost_user *vu = arg;
	size_t want = sizeof(struct vu_header);
	const char *reason;
	struct vu_header hdr;
	struct vu_msg msg;
	ssize_t n;

	if (vu->got >= want) {
		memcpy(&hdr, vu->buf, sizeof(hdr));
		want += hdr.size;
	}
	/* at most what is missing of the header, then of the payload */
	n = unix_recv(vu->sock, vu->buf + vu->got, want - vu->got, vu->fds, &vu->nfds, VU_MAX_FDS);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end_connection(vu, vu->got ? "connection ended inside a vhost-user message" : NULL);
		return;
	}
	vu->got += n;
	if (vu->got < want)
		return;

	memcpy(&hdr, vu->buf, sizeof(hdr));
	if (hdr.size > sizeof(msg.p)) {
		end_connection(vu, "vhost-user message that is too long");
		return;
	}
	if (vu->got < sizeof(hdr) + hdr.size)
		return;

	memset(&msg, 0, sizeof(msg));
	memcpy(&msg.hdr, vu->buf, sizeof(hdr));
	memcpy(&msg.p, vu->buf + sizeof(hdr), hdr.size);
	vu->got = 0;
	reason = handle_msg(vu, &msg);
	if (reason)
		end_connection(vu, reason);
}

static void stop_listening(struct vhost_user *vu)
{
	if (vu->listen_fd < 0)
		return;
	loop_del(vu->loop, vu->listen_fd);
	fd_close(&vu->listen_fd);
	unlink(vu->path);
}

static void listen_readable(void *arg)
{
	struct vhost_user *vu = arg;
	int fd = accept4(vu->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	/* one device, one guest */
	stop_listening(vu);
	vu->sock = fd;
	if (!loop_add(vu->loop, fd, sock_readable, vu))
		end_connection(vu, "connection could not be watched");
}

/**
 * vhost_user_new() - Make a device and listen for its guest
 * @loop: event loop
 * @cfg: what to be; cfg->path is copied
 * @ops: what to tell
 * @host: passed to @ops
 *
 * Return: the device, NULL with errno set.
 */
struct vhost_user *vhost_user_new(struct loop *loop, const struct vhost_user_config *cfg,
				  const struct vhost_user_ops *ops, void *host)
{
	struct vhost_user *vu = calloc(1, sizeof(*vu));

	if (!vu)
		return NULL;
	vu->loop = loop;
	vu->ops = ops;
	vu->host = host;
	vu->sock = -1;
	vu->slave_fd = -1;
	vu->nqueues = cfg->queues;
	for (unsigned int i = 0; i < vu->nqueues; i++) {
		vu->queue[i] = (struct vu_queue){
			.vu = vu, .index = i, .vq.dma = cfg->dma, .kick_fd = -1, .call_fd = -1,
		};
	}
	vu->listen_fd = unix_listen(cfg->path, 1);
	if (vu->listen_fd < 0)
		goto free_vu;
	/* fits: unix_listen() made a longer name of it */
	strcpy(vu->path, cfg->path);
	if (!loop_add(loop, vu->listen_fd, listen_readable, vu))
		goto stop_listening;
	return vu;

stop_listening:
	stop_listening(vu);
free_vu:
	free(vu);
	return NULL;
}

/**
 * vhost_user_free() - End the connection and free the device
 * @vu: the device or NULL
 */
void vhost_user_free(struct vhost_user *vu)
{
	if (!vu)
		return;
	stop_listening(vu);
	disconnect(vu);
	free(vu);
}
