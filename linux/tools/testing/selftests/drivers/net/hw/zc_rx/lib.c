// SPDX-License-Identifier: GPL-2.0
#include "lib.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <kselftest.h>

/* A completion that does not come in this time never does, milliseconds */
#define PATIENCE	3000
/* The smallest region that is tried, and the largest, bytes */
#define REGION_MIN	(4u << 20)
#define REGION_MAX	(256u << 20)

struct zc_target target;

static int sys_setup(unsigned int entries, struct io_uring_params *p)
{
	return syscall(__NR_io_uring_setup, entries, p);
}

static int sys_enter(int fd, unsigned int submit, unsigned int wait, unsigned int flags,
		     const void *arg, size_t size)
{
	return syscall(__NR_io_uring_enter, fd, submit, wait, flags, arg, size);
}

static int sys_register(int fd, unsigned int op, const void *arg, unsigned int nr)
{
	return syscall(__NR_io_uring_register, fd, op, arg, nr);
}

/* ---- the device ---------------------------------------------------------- */

static unsigned int env_number(const char *name, unsigned int other)
{
	const char *v = getenv(name);

	return v && *v ? strtoul(v, NULL, 0) : other;
}

static unsigned int count_queues(const char *name)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq ifr = { .ifr_data = (char *)&channels };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int ret;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ret = ioctl(fd, SIOCETHTOOL, &ifr);
	close(fd);
	return ret ? 0 : channels.rx_count + channels.combined_count;
}

/* Does the device take a registration at all? */
static void probe(void)
{
	struct zc z;
	int ret;

	ret = zc_bind(&z, 64, 64);
	zc_close(&z);
	switch (ret) {
	case 0:
		return;
	case -EINVAL:
		if (!z.reason[0])
			ksft_exit_skip("this kernel has no IORING_REGISTER_ZC_RX_IFQ\n");
		break;
	case -EPERM:
		ksft_exit_skip("no io_uring for us, or no CAP_NET_ADMIN: %s\n", z.reason);
	case -EOPNOTSUPP:
		ksft_exit_skip("%s: %s\n", target.name,
			       z.reason[0] ? z.reason : "kernel without CONFIG_IO_URING_ZC_RX");
	}
	ksft_exit_fail_msg("queue %u of %s: %s: %s\n", target.queue, target.name, strerror(-ret),
			   z.reason);
}

/**
 * zc_main() - find the device, then run the tests
 * @argc: of main()
 * @argv: of main()
 * @run: the harness
 *
 * Return: exit status; skips all when there is nothing to test.
 */
int zc_main(int argc, char **argv, int (*run)(int argc, char **argv))
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	target.name = getenv("NETIF");
	if (!target.name)
		ksft_exit_skip("NETIF is not set: name an interface that has zero copy receive\n");
	target.ifindex = if_nametoindex(target.name);
	if (!target.ifindex)
		ksft_exit_skip("there is no interface %s\n", target.name);
	target.queues = count_queues(target.name);
	target.queue = env_number("ZC_RX_QUEUE", target.queues ? target.queues - 1 : 0);
	target.disrupt = env_number("ZC_RX_DISRUPT", 0);
	target.slow = env_number("ZC_RX_SLOW", 1);
	target.page = sysconf(_SC_PAGESIZE);
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	probe();
	return run(argc, argv);
}

/* ---- io_uring ------------------------------------------------------------ */

/**
 * zc_ring_open() - set up an io_uring
 * @r: the ring
 * @flags: IORING_SETUP_*
 * @cq_entries: completions that it holds
 *
 * Return: 0 or -errno.
 */
int zc_ring_open(struct zc_ring *r, unsigned int flags, unsigned int cq_entries)
{
	struct io_uring_params p = {
		.flags = flags | IORING_SETUP_CQSIZE,
		.cq_entries = cq_entries,
	};
	size_t cq_size;
	uint32_t *array;
	unsigned int i;

	memset(r, 0, sizeof(*r));
	r->fd = sys_setup(cq_entries < 64 ? cq_entries : 64, &p);
	if (r->fd < 0) {
		r->fd = -1;
		return -errno;
	}
	cq_size = p.cq_off.cqes + p.cq_entries * sizeof(*r->cqes);
	r->sq_size = p.sq_off.array + p.sq_entries * sizeof(uint32_t);
	if (r->sq_size < cq_size)
		r->sq_size = cq_size;
	r->sqes_size = p.sq_entries * sizeof(*r->sqes);
	/* one mapping has both rings: IORING_FEAT_SINGLE_MMAP, Linux 5.4 */
	r->sq_map = mmap(NULL, r->sq_size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
			 IORING_OFF_SQ_RING);
	r->sqes = mmap(NULL, r->sqes_size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		       IORING_OFF_SQES);
	if (r->sq_map == MAP_FAILED || r->sqes == MAP_FAILED)
		return -errno;

	r->sq_tail = r->sq_map + p.sq_off.tail;
	r->sq_mask = p.sq_entries - 1;
	r->cq_head = r->sq_map + p.cq_off.head;
	r->cq_tail = r->sq_map + p.cq_off.tail;
	r->cq_mask = p.cq_entries - 1;
	r->cqes = r->sq_map + p.cq_off.cqes;
	array = r->sq_map + p.sq_off.array;
	for (i = 0; i < p.sq_entries; i++)
		array[i] = i;
	return 0;
}

/**
 * zc_ring_close() - undo zc_ring_open()
 * @r: the ring; may be closed already
 */
void zc_ring_close(struct zc_ring *r)
{
	if (r->sq_map && r->sq_map != MAP_FAILED)
		munmap(r->sq_map, r->sq_size);
	if (r->sqes && (void *)r->sqes != MAP_FAILED)
		munmap(r->sqes, r->sqes_size);
	if (r->fd >= 0)
		close(r->fd);
	memset(r, 0, sizeof(*r));
	r->fd = -1;
}

/**
 * zc_sqe() - the next submission entry, all 0
 * @r: the ring; the kernel has taken what was submitted before
 *
 * Return: the entry.
 */
struct io_uring_sqe *zc_sqe(struct zc_ring *r)
{
	struct io_uring_sqe *sqe = &r->sqes[(*r->sq_tail + r->queued++) & r->sq_mask];

	memset(sqe, 0, sizeof(*sqe));
	return sqe;
}

/**
 * zc_submit() - submit what zc_sqe() has handed out
 * @r: the ring
 *
 * Return: how many the kernel took, or -errno.
 */
int zc_submit(struct zc_ring *r)
{
	unsigned int n = r->queued;
	int ret;

	__atomic_store_n(r->sq_tail, *r->sq_tail + n, __ATOMIC_RELEASE);
	r->queued = 0;
	ret = sys_enter(r->fd, n, 0, 0, NULL, 0);
	return ret < 0 ? -errno : ret;
}

/**
 * zc_cqe_ready() - is there a completion?
 * @r: the ring
 *
 * Return: whether there is one, without asking the kernel to make any.
 */
bool zc_cqe_ready(const struct zc_ring *r)
{
	return __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) != *r->cq_head;
}

/**
 * zc_cqe_within() - submit, and wait for a completion
 * @r: the ring
 * @cqe: out: the completion
 * @ms: how long to wait at most, milliseconds
 *
 * Return: 0; -ETIME when none came; -errno.
 */
int zc_cqe_within(struct zc_ring *r, struct io_uring_cqe *cqe, unsigned int ms)
{
	struct __kernel_timespec ts = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000ll,
	};
	struct io_uring_getevents_arg arg = { .ts = (uintptr_t)&ts };
	int ret = 0;

	if (r->queued)
		ret = zc_submit(r);
	if (ret < 0)
		return ret;
	while (!zc_cqe_ready(r)) {
		ret = sys_enter(r->fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &arg,
				sizeof(arg));
		if (ret < 0 && errno != EINTR && !zc_cqe_ready(r))
			return -errno;
	}
	*cqe = r->cqes[*r->cq_head & r->cq_mask];
	__atomic_store_n(r->cq_head, *r->cq_head + 1, __ATOMIC_RELEASE);
	return 0;
}

/**
 * zc_cqe() - submit, and wait for a completion that has to come
 * @r: the ring
 * @cqe: out: the completion
 *
 * Return: 0; -ETIME when none came; -errno.
 */
int zc_cqe(struct zc_ring *r, struct io_uring_cqe *cqe)
{
	return zc_cqe_within(r, cqe, PATIENCE * target.slow);
}

/**
 * zc_buffers() - register buffers
 * @r: the ring
 * @iov: where they are
 * @nr: how many
 *
 * Return: 0 or -errno.
 */
int zc_buffers(struct zc_ring *r, const struct iovec *iov, unsigned int nr)
{
	return sys_register(r->fd, IORING_REGISTER_BUFFERS, iov, nr) ? -errno : 0;
}

/* ---- an interface queue -------------------------------------------------- */

/**
 * zc_none() - nothing yet
 * @z: becomes what zc_close() can close
 */
void zc_none(struct zc *z)
{
	memset(z, 0, sizeof(*z));
	z->ring.fd = -1;
}

/**
 * zc_region() - memory for a region
 * @z: gets it
 * @size: bytes
 *
 * Return: 0 or -errno.
 */
int zc_region(struct zc *z, size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (mem == MAP_FAILED)
		return -errno;
	z->region = mem;
	z->region_size = size;
	return 0;
}

/**
 * zc_defaults() - an argument that the kernel takes
 * @z: gets it in @reg
 */
void zc_defaults(struct zc *z)
{
	memset(z->reason, 0, sizeof(z->reason));
	z->reg = (struct io_uring_zc_rx_ifq_reg) {
		.if_idx = target.ifindex,
		.if_rxq_id = target.queue,
		.rq_entries = 1024,
		.cq_entries = 1024,
		.reason = (uintptr_t)z->reason,
		.reason_len = sizeof(z->reason),
	};
}

/* The device's own ring takes up part of a region; how large it is, is its business */
static size_t region_size = REGION_MIN;

/* With @two there is a second buffer behind the first, as large as that */
static int prepare(struct zc *z, size_t size, bool two)
{
	struct iovec iov[2];
	int ret;

	zc_none(z);
	ret = zc_ring_open(&z->ring, ZC_RING_FLAGS, 1024);
	if (!ret)
		ret = zc_region(z, two ? 2 * size : size);
	if (ret)
		return ret;
	z->second = two ? size : 0;
	iov[0] = (struct iovec) { z->region, size };
	iov[1] = (struct iovec) { z->region + size, size };
	zc_defaults(z);
	return zc_buffers(&z->ring, iov, two ? 2 : 1);
}

/**
 * zc_prepare() - ring, region and buffer, but no interface queue
 * @z: gets it
 *
 * Return: 0 or -errno; zc_close() has to follow anyway.
 */
int zc_prepare(struct zc *z)
{
	return prepare(z, region_size, false);
}

/**
 * zc_register() - register the interface queue
 * @z: with what @reg says
 *
 * Return: 0 or -errno.
 */
int zc_register(struct zc *z)
{
	int ret;

	do {
		ret = sys_register(z->ring.fd, IORING_REGISTER_ZC_RX_IFQ, &z->reg, 1) ? -errno : 0;
	} while (ret == -EINTR);
	return ret;
}

/**
 * zc_map() - map the queue's rings
 * @z: registered
 *
 * Return: 0 or -errno.
 */
int zc_map(struct zc *z)
{
	void *map = mmap(NULL, z->reg.mmap_sz, PROT_READ | PROT_WRITE, MAP_SHARED, z->ring.fd,
			 z->reg.mmap_off);

	if (map == MAP_FAILED)
		return -errno;
	z->map = map;
	return 0;
}

/**
 * zc_ctrl_raw() - IORING_REGISTER_ZC_RX_CTRL
 * @z: with a ring
 * @ctrl: argument, any
 * @nr: how many of them, which the kernel wants to be 1
 *
 * Return: what the operation returned, or -errno.
 */
int zc_ctrl_raw(struct zc *z, const struct io_uring_zc_rx_ctrl *ctrl, unsigned int nr)
{
	int ret = sys_register(z->ring.fd, IORING_REGISTER_ZC_RX_CTRL, ctrl, nr);

	return ret < 0 ? -errno : ret;
}

/**
 * zc_ctrl() - an operation on the interface queue
 * @z: registered; a refusal has its reason in @reason
 * @op: IORING_ZC_RX_CTRL_*
 * @region: index of a registered buffer, or 0
 *
 * Return: what the operation returned, or -errno.
 */
int zc_ctrl(struct zc *z, uint32_t op, uint32_t region)
{
	const struct io_uring_zc_rx_ctrl ctrl = {
		.zcrx_ifq_idx = z->reg.zcrx_ifq_idx,
		.op = op,
		.region_id = region,
		.reason = (uintptr_t)z->reason,
		.reason_len = sizeof(z->reason),
	};

	memset(z->reason, 0, sizeof(z->reason));
	return zc_ctrl_raw(z, &ctrl, 1);
}

static int bind_queue(struct zc *z, uint32_t rq_entries, uint32_t cq_entries, bool two)
{
	int ret;

	for (;;) {
		ret = prepare(z, region_size, two);
		if (ret)
			return ret;
		z->reg.rq_entries = rq_entries;
		z->reg.cq_entries = cq_entries;
		ret = zc_register(z);
		if (ret != -ENOSPC || region_size >= REGION_MAX)
			return ret;
		zc_close(z);
		region_size *= 2;
	}
}

/**
 * zc_bind() - ring, region, buffer, and the interface queue
 * @z: gets it
 * @rq_entries: of the refill ring
 * @cq_entries: of the completion ring
 *
 * Takes a larger region than before when the device's ring takes up all of it.
 *
 * Return: 0 or -errno; zc_close() has to follow anyway.
 */
int zc_bind(struct zc *z, uint32_t rq_entries, uint32_t cq_entries)
{
	return bind_queue(z, rq_entries, cq_entries, false);
}

/**
 * zc_open() - zc_bind() and zc_map()
 * @z: gets it
 * @rq_entries: of the refill ring
 * @cq_entries: of the completion ring
 *
 * Return: 0 or -errno; zc_close() has to follow anyway.
 */
int zc_open(struct zc *z, uint32_t rq_entries, uint32_t cq_entries)
{
	return zc_bind(z, rq_entries, cq_entries) ?: zc_map(z);
}

/**
 * zc_open_two() - zc_open() with two registered buffers, the first of which is a region
 * @z: gets it
 * @rq_entries: of the refill ring
 * @cq_entries: of the completion ring
 *
 * Return: 0 or -errno; zc_close() has to follow anyway.
 */
int zc_open_two(struct zc *z, uint32_t rq_entries, uint32_t cq_entries)
{
	return bind_queue(z, rq_entries, cq_entries, true) ?: zc_map(z);
}

/**
 * zc_unmap() - unmap rings and region
 * @z: any
 */
void zc_unmap(struct zc *z)
{
	if (z->map)
		munmap(z->map, z->reg.mmap_sz);
	if (z->region)
		munmap(z->region, z->region_size);
	z->map = NULL;
	z->region = NULL;
}

/**
 * zc_close() - the end of it
 * @z: any
 */
void zc_close(struct zc *z)
{
	zc_ring_close(&z->ring);
	zc_unmap(z);
}

/**
 * zc_at() - a word of the mapping
 * @z: mapped
 * @off: where, bytes
 *
 * Return: its address.
 */
uint32_t *zc_at(const struct zc *z, uint32_t off)
{
	return (uint32_t *)(z->map + off);
}

/**
 * zc_stats() - the counters
 * @z: mapped
 *
 * Return: their address.
 */
const struct io_uring_zc_rx_stats *zc_stats(const struct zc *z)
{
	return (const void *)(z->map + z->reg.stats_off);
}

/**
 * zc_peek() - an entry of the completion ring
 * @z: mapped
 * @ahead: so many after the next one
 *
 * Return: its address.
 */
const struct io_uring_rbuf_cqe *zc_peek(const struct zc *z, uint32_t ahead)
{
	const struct io_uring_rbuf_cqe *cqes = (const void *)(z->map + z->reg.cq_off.cqes);

	return &cqes[(*zc_at(z, z->reg.cq_off.head) + ahead) & (z->reg.cq_entries - 1)];
}

/**
 * zc_put() - write an entry of the refill ring
 * @z: mapped; nobody looks whether there is room
 * @rqe: the entry
 */
void zc_put(struct zc *z, const struct io_uring_rbuf_rqe *rqe)
{
	struct io_uring_rbuf_rqe *rqes = (void *)(z->map + z->reg.rq_off.rqes);
	uint32_t *tail = zc_at(z, z->reg.rq_off.tail);

	rqes[*tail & (z->reg.rq_entries - 1)] = *rqe;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
}

/**
 * zc_give() - give a piece back
 * @z: mapped
 * @off: where it is in the region, bytes
 */
void zc_give(struct zc *z, uint32_t off)
{
	zc_give_to(z, z->reg.region_id, off);
}

/**
 * zc_give_to() - give a piece of any region back
 * @z: mapped
 * @region: which
 * @off: where it is in that, bytes
 */
void zc_give_to(struct zc *z, uint16_t region, uint32_t off)
{
	zc_put(z, &(struct io_uring_rbuf_rqe) { .off = off, .region = region });
}

static uint8_t pattern(uint64_t pos)
{
	return (pos * 2654435761u ^ pos >> 11) >> 5;
}

static const char *compare(const struct zc *z, const struct zc_stream *s,
			   const struct io_uring_rbuf_cqe *c)
{
	size_t size = z->second ?: z->region_size;
	const uint8_t *region = z->region;
	uint32_t i;

	if (c->off / target.page != (c->off + c->len - 1) / target.page)
		return "a piece crosses a page";
	if ((uint64_t)c->off + c->len > size)
		return "a piece is outside of the region";
	if (z->second && c->region == 1)
		region += z->second;
	else if (c->region != z->reg.region_id)
		return "a piece is of another region";
	if (!(c->flags & IORING_RBUF_CQE_F_COPY))
		return "a piece is called zero copy, but came over loopback";
	for (i = 0; i < c->len; i++)
		if (region[c->off + i] != pattern(s->seen + i))
			return "a byte is wrong";
	return NULL;
}

/**
 * zc_take() - take the entries of a completion, and compare what they announce
 * @z: mapped
 * @s: the connection
 * @bytes: res of the completion
 * @give: give the pieces back
 *
 * Return: how many entries, or -EPROTO when they do not add up.
 */
int zc_take(struct zc *z, struct zc_stream *s, int bytes, bool give)
{
	uint32_t tail = __atomic_load_n(zc_at(z, z->reg.cq_off.tail), __ATOMIC_ACQUIRE);
	uint32_t *head = zc_at(z, z->reg.cq_off.head);
	const char *wrong;
	int n = 0;

	while (bytes > 0) {
		struct io_uring_rbuf_cqe c;

		if (*head == tail) {
			s->wrong = "bytes of a completion have no entry";
			return -EPROTO;
		}
		c = *zc_peek(z, 0);
		if (!c.len || c.len > (uint32_t)bytes) {
			s->wrong = "entries and completion do not add up";
			return -EPROTO;
		}
		wrong = compare(z, s, &c);
		if (wrong)
			s->wrong = wrong;
		s->seen += c.len;
		bytes -= c.len;
		if (give)
			zc_give_to(z, c.region, c.off);
		__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
		n++;
	}
	return n;
}

/**
 * zc_recv() - prepare an IORING_OP_RECV_ZC
 * @z: registered
 * @fd: socket
 * @limit: bytes at most, 0 for no limit
 * @ioprio: flags
 *
 * Return: the entry, for changes.
 */
struct io_uring_sqe *zc_recv(struct zc *z, int fd, uint32_t limit, unsigned int ioprio)
{
	struct io_uring_sqe *sqe = zc_sqe(&z->ring);

	sqe->opcode = IORING_OP_RECV_ZC;
	sqe->fd = fd;
	sqe->len = limit;
	sqe->ioprio = ioprio;
	sqe->zcrx_ifq_idx = z->reg.zcrx_ifq_idx;
	return sqe;
}

/**
 * zc_recv_all() - receive with a multishot request until all that was sent is there
 * @z: mapped
 * @s: the connection
 * @limit: of the request, 0 for none; then it is not sent again
 *
 * The request may be sent again at once, and is when it ends. It is left armed.
 *
 * Return: 0, or what it was that did not come: -errno of the completion, -ETIME.
 */
int zc_recv_all(struct zc *z, struct zc_stream *s, uint32_t limit)
{
	struct io_uring_cqe cqe = { .flags = 0 };
	int ret;

	zc_recv(z, s->rx, limit, IORING_RECV_MULTISHOT);
	while (s->seen < s->sent) {
		ret = zc_cqe(&z->ring, &cqe);
		if (ret)
			return ret;
		if (cqe.res <= 0)
			return cqe.res ?: -ENODATA;
		ret = zc_take(z, s, cqe.res, true);
		if (ret < 0)
			return ret;
		if (cqe.flags & IORING_CQE_F_MORE)
			continue;
		if (limit)
			break;
		zc_recv(z, s->rx, limit, IORING_RECV_MULTISHOT);
	}
	return 0;
}

/* ---- connections --------------------------------------------------------- */

/**
 * zc_connect() - a TCP connection over loopback
 * @s: gets it
 *
 * Return: 0 or -errno.
 */
int zc_connect(struct zc_stream *s)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0);
	int ret = 0;

	*s = (struct zc_stream) { .rx = -1, .tx = socket(AF_INET, SOCK_STREAM, 0) };
	if (l < 0 || s->tx < 0 || bind(l, (void *)&a, len) || listen(l, 1) ||
	    getsockname(l, (void *)&a, &len) || connect(s->tx, (void *)&a, len))
		ret = -errno;
	if (!ret)
		s->rx = accept(l, NULL, NULL);
	if (!ret && s->rx < 0)
		ret = -errno;
	if (l >= 0)
		close(l);
	fcntl(s->tx, F_SETFL, O_NONBLOCK);
	return ret;
}

/**
 * zc_disconnect() - close both ends
 * @s: the connection
 */
void zc_disconnect(struct zc_stream *s)
{
	if (s->rx >= 0)
		close(s->rx);
	if (s->tx >= 0)
		close(s->tx);
	s->rx = -1;
	s->tx = -1;
}

/**
 * zc_send() - send the next bytes of the pattern
 * @s: the connection
 * @len: how many; less when the socket takes no more
 *
 * Return: how many were sent.
 */
size_t zc_send(struct zc_stream *s, size_t len)
{
	static uint8_t buf[65536];
	size_t done = 0;

	while (done < len) {
		size_t i, n = len - done < sizeof(buf) ? len - done : sizeof(buf);
		ssize_t w;

		for (i = 0; i < n; i++)
			buf[i] = pattern(s->sent + i);
		w = send(s->tx, buf, n, MSG_NOSIGNAL);
		if (w <= 0)
			break;
		s->sent += w;
		done += w;
	}
	return done;
}

/* ---- the rest ------------------------------------------------------------ */

/**
 * zc_pinned() - memory of this process that is pinned
 *
 * Return: kilobytes, -1 if that cannot be known.
 */
long zc_pinned(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kb = -1;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "VmPin: %ld", &kb) == 1)
			break;
	fclose(f);
	return kb;
}

/**
 * zc_unpinned() - wait until no memory is pinned: what is in sockets comes back late
 *
 * Return: whether that came.
 */
bool zc_unpinned(void)
{
	unsigned int i;

	for (i = 0; i < PATIENCE / 10 * target.slow && zc_pinned() > 0; i++)
		zc_nap(10000);
	return !zc_pinned();
}

/**
 * zc_nap() - sleep
 * @us: microseconds
 */
void zc_nap(unsigned int us)
{
	const struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}
