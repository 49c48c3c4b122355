// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The user of zc-life. After USER_BEGIN it holds something of each kind:
 *
 *	entries of the completion ring that it does not give back;
 *	a connection with data that nobody reads, and one whose data came too early;
 *	requests that wait for data: many shots and one, linked, with a timeout, asked to run in
 *	a worker; and those whose data is there, but whose task does not come by to take it;
 *	the NIC's ring, the mapping of the rings, the registered buffer, the descriptor.
 *
 * Its limit of locked memory is the region, to the byte, if all earlier users were released: a
 * page that one of them left accounted, and it cannot begin.
 */
#include "life.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pattern.h"
#include "races-recv.h"

#define ENTRIES		1024u
#define MAX_CONNS	8u
#define MAX_KEPT	1024u
#define KEPT_ENOUGH	24u
#define UNREAD_ENOUGH	(64 << 10)
/* The next one finds the last one's memory free by then, however long its packets take */
#define LOCKED_MS	2000u
#define BEGIN_MS	8000u

/* Connections of USER_BEGIN; in USER_RUN they are all alike */
enum { CONN_KEPT, CONN_UNREAD, CONN_PENDING, CONN_QUIET, CONN_HOLE, CONNS };

#define USER_DATA_OTHER	100u
#define USER_DATA_CANCEL 101u

struct conn {
	int fd;
	bool armed;
	uint64_t pos;
};

/* A piece of a stream that the user holds */
struct piece {
	struct io_uring_rbuf_cqe cqe;
	uint64_t pos;
};

/**
 * struct me - the user
 * @nic: device
 * @slow: how many times longer than usual things may take
 * @ctl: socket to the judge
 * @s: shared with the judge
 * @q: ring and region
 * @listener: for each of the ports
 * @conn: connections
 * @kept: what is held
 * @n_kept: how many of them
 * @keep: hold it, or give it back at once
 */
struct me {
	const struct nic *nic;
	unsigned int slow;
	int ctl;
	struct user_shared *s;
	struct races_ifq q;
	int listener[3];
	struct conn conn[MAX_CONNS];
	struct piece kept[MAX_KEPT];
	unsigned int n_kept;
	bool keep;
};

struct reply {
	int32_t ret;
	int32_t value;
};

__attribute__((format(printf, 3, 4)))
static int fail(struct me *m, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!m->s->failed)
		vsnprintf(m->s->why, sizeof(m->s->why), fmt, ap);
	va_end(ap);
	m->s->failed = 1;
	return err;
}

/* ---- ring --------------------------------------------------------------- */

static struct io_uring_sqe *recv_zc(struct me *m, unsigned int n, bool multishot)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&m->q.ring);

	io_uring_prep_rw(OP_RECV_ZC, sqe, m->conn[n].fd, NULL, 0, 0);
	sqe->ioprio = multishot ? IORING_RECV_MULTISHOT : 0;
	sqe->file_index = m->q.reg.zcrx_ifq_idx;
	sqe->user_data = n;
	return sqe;
}

/* Requests that will not be done, of every kind that there is */
static void arm_quiet(struct me *m)
{
	static struct __kernel_timespec long_time = { .tv_sec = 1000 };
	struct io_uring_sqe *sqe;

	recv_zc(m, CONN_QUIET, true)->user_data = USER_DATA_OTHER;

	sqe = recv_zc(m, CONN_QUIET, false);
	sqe->user_data = USER_DATA_OTHER;
	sqe->flags |= IOSQE_IO_LINK;
	sqe = io_uring_get_sqe(&m->q.ring);
	io_uring_prep_link_timeout(sqe, &long_time, 0);
	sqe->user_data = USER_DATA_OTHER;

	for (int i = 0; i < 2; i++) {
		sqe = recv_zc(m, CONN_QUIET, i);
		sqe->user_data = USER_DATA_OTHER;
		sqe->flags |= IOSQE_IO_LINK;
	}
	sqe = io_uring_get_sqe(&m->q.ring);
	io_uring_prep_nop(sqe);
	sqe->user_data = USER_DATA_OTHER;

	for (int i = 0; i < 2; i++) {
		sqe = recv_zc(m, CONN_QUIET, i);
		sqe->user_data = USER_DATA_OTHER;
		sqe->flags |= IOSQE_ASYNC;
	}
}

/* One that waits until all before it are done, which they are not. All that come later, a cancel
 * too, wait behind it: only for a ring that is not used again.
 */
static void arm_drained(struct me *m)
{
	struct io_uring_sqe *sqe;

	if (m->q.ring.ring_fd < 0 || !m->conn[CONN_QUIET].armed)
		return;
	sqe = recv_zc(m, CONN_QUIET, true);
	sqe->user_data = USER_DATA_OTHER;
	sqe->flags |= IOSQE_IO_DRAIN;
	io_uring_submit(&m->q.ring);
}

static int right(struct me *m, const struct piece *p)
{
	size_t good;

	if (!p->cqe.len || (uint64_t)p->cqe.off + p->cqe.len > m->q.region_size)
		return fail(m, -EBADMSG, "an entry of %u bytes at %#x", p->cqe.len, p->cqe.off);
	good = pattern_check(m->q.region + p->cqe.off, p->pos, p->cqe.len);
	if (good == p->cqe.len)
		return 0;
	return fail(m, -EBADMSG, "byte %llu of the stream, at %#zx of the region, is wrong",
		    (unsigned long long)p->pos + good, p->cqe.off + good);
}

/* The entries of a completion */
static int take(struct me *m, struct conn *c, int bytes)
{
	while (bytes > 0) {
		struct piece p = { .pos = c->pos };
		int ret;

		if (!races_ifq_take(&m->q, &p.cqe) || p.cqe.len > (unsigned int)bytes)
			return fail(m, -EBADMSG, "%d bytes of a completion have no entry", bytes);
		ret = right(m, &p);
		if (ret)
			return ret;
		c->pos += p.cqe.len;
		bytes -= (int)p.cqe.len;
		m->s->bytes += p.cqe.len;
		if (!(p.cqe.flags & IORING_RBUF_CQE_F_COPY))
			m->s->zc += p.cqe.len;
		if (m->keep && m->n_kept < MAX_KEPT)
			m->kept[m->n_kept++] = p;
		else if (!races_ifq_give(&m->q, &p.cqe))
			m->kept[m->n_kept++ % MAX_KEPT] = p;
	}
	return 0;
}

static void forget(struct conn *c)
{
	if (c->fd >= 0)
		close(c->fd);
	*c = (struct conn){ .fd = -1 };
}

static int on_cqe(struct me *m, const struct io_uring_cqe *cqe)
{
	struct conn *c;
	int ret;

	if (cqe->user_data >= MAX_CONNS)
		return 0;
	c = &m->conn[cqe->user_data];
	c->armed = cqe->flags & IORING_CQE_F_MORE;
	ret = take(m, c, cqe->res);
	if (cqe->res <= 0 && cqe->res != -ENOBUFS && cqe->res != -ENOMEM)
		forget(c);
	return ret;
}

/* Send what is prepared, wait for something a moment, see what there is */
static int turn(struct me *m, unsigned int us)
{
	struct __kernel_timespec ts = { .tv_nsec = (long)us * 1000 };
	struct io_uring_cqe *cqe;
	int ret = 0;

	io_uring_submit_and_wait_timeout(&m->q.ring, &cqe, 1, &ts, NULL);
	while (!ret && !io_uring_peek_cqe(&m->q.ring, &cqe)) {
		struct io_uring_cqe seen = *cqe;

		io_uring_cqe_seen(&m->q.ring, cqe);
		ret = on_cqe(m, &seen);
	}
	return ret;
}

/* ---- connections -------------------------------------------------------- */

static int listen_on(const struct me *m, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = m->nic->addr };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!bind(fd, (void *)&a, sizeof(a)) && !listen(fd, 4))
		return fd;
	one = -errno;
	close(fd);
	return one;
}

static int listen_all(struct me *m)
{
	static const uint16_t ports[] = { LIFE_PORT_FLOW, LIFE_PORT_QUIET, LIFE_PORT_HOLE };

	for (unsigned int i = 0; i < 3; i++) {
		m->listener[i] = listen_on(m, ports[i]);
		if (m->listener[i] < 0)
			return fail(m, m->listener[i], "cannot listen at port %u: %s", ports[i],
				    strerror(-m->listener[i]));
	}
	return 0;
}

static void accept_one(struct me *m, unsigned int n, int listener)
{
	if (m->conn[n].fd < 0)
		m->conn[n].fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

static int unread(const struct conn *c)
{
	int n = 0;

	return c->fd < 0 || ioctl(c->fd, FIONREAD, &n) ? -1 : n;
}

static bool came_early(const struct conn *c)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	return c->fd >= 0 && !getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &len) && info.tcpi_rcv_ooopack;
}

static bool closed(const struct conn *c)
{
	struct pollfd pfd = { .fd = c->fd, .events = POLLRDHUP };

	return c->fd >= 0 && poll(&pfd, 1, 0) > 0 && pfd.revents & (POLLERR | POLLHUP | POLLRDHUP);
}

/* ---- beginning ---------------------------------------------------------- */

/* Who has this is not limited */
static int drop_ipc_lock(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK) || syscall(SYS_capget, &head, data))
		return -errno;
	data[0].effective &= ~(1u << CAP_IPC_LOCK);
	data[0].permitted &= ~(1u << CAP_IPC_LOCK);
	data[0].inheritable &= ~(1u << CAP_IPC_LOCK);
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

static int bind_queue(struct me *m)
{
	uint64_t begin = life_now_ms();
	int ret = races_ifq_region(&m->q, LIFE_PAGES);

	while (!ret) {
		ret = races_ifq_open(&m->q, m->nic->iface, m->nic->queue, ENTRIES, ENTRIES, -1);
		m->s->waited_ms = (uint32_t)(life_now_ms() - begin);
		if (ret != -ENOMEM || m->s->waited_ms > LOCKED_MS * m->slow)
			break;
		life_nap_us(1000);
		ret = 0;
	}
	return ret ? fail(m, ret, "cannot bind the queue: %s, %u ms after the first try", strerror(-ret),
			  m->s->waited_ms) : 0;
}

static bool holds_all(const struct me *m)
{
	return m->n_kept >= KEPT_ENOUGH && m->s->zc && unread(&m->conn[CONN_UNREAD]) >= UNREAD_ENOUGH &&
	       m->conn[CONN_PENDING].armed && m->conn[CONN_QUIET].armed &&
	       came_early(&m->conn[CONN_HOLE]);
}

static void connect_all(struct me *m)
{
	for (unsigned int i = 0; i < CONNS; i++)
		if ((i == CONN_UNREAD || i == CONN_QUIET || i == CONN_HOLE) && closed(&m->conn[i]))
			forget(&m->conn[i]);
	for (unsigned int i = 0; i < LIFE_FLOWS; i++)
		accept_one(m, i, m->listener[0]);
	accept_one(m, CONN_QUIET, m->listener[1]);
	accept_one(m, CONN_HOLE, m->listener[2]);
	for (unsigned int i = CONN_KEPT; i <= CONN_PENDING; i += CONN_PENDING - CONN_KEPT) {
		if (m->conn[i].fd < 0 || m->conn[i].armed)
			continue;
		recv_zc(m, i, true);
		m->conn[i].armed = true;
	}
	if (m->conn[CONN_QUIET].fd >= 0 && !m->conn[CONN_QUIET].armed) {
		arm_quiet(m);
		m->conn[CONN_QUIET].armed = true;
	}
}

static int begin(struct me *m)
{
	uint64_t end = life_now_ms() + BEGIN_MS * m->slow;
	int ret = bind_queue(m) ?: listen_all(m);

	m->keep = true;
	while (!ret && !holds_all(m)) {
		if (life_now_ms() > end)
			return fail(m, -ETIMEDOUT, "no transfer: %u pieces kept, %llu bytes without a copy, %d unread, %s%s%s",
				    m->n_kept, (unsigned long long)m->s->zc, unread(&m->conn[CONN_UNREAD]),
				    m->conn[CONN_PENDING].armed ? "" : "nothing pending, ",
				    m->conn[CONN_QUIET].fd < 0 ? "no quiet connection, " : "",
				    came_early(&m->conn[CONN_HOLE]) ? "" : "nothing out of order");
		connect_all(m);
		/* enough for the region: what is not taken stays where it is */
		if (m->n_kept < MAX_KEPT / 4)
			ret = turn(m, 2000);
		else
			life_nap_us(2000);
	}
	return ret;
}

/* ---- what the judge wants ----------------------------------------------- */

static void run_accept(struct me *m)
{
	for (unsigned int i = 0; i < MAX_CONNS; i++) {
		struct conn *c = &m->conn[i];

		accept_one(m, i, m->listener[0]);
		if (c->fd < 0 || c->armed)
			continue;
		recv_zc(m, i, true);
		c->armed = true;
	}
}

static void give_all(struct me *m)
{
	while (m->n_kept && races_ifq_give(&m->q, &m->kept[m->n_kept - 1].cqe))
		m->n_kept--;
}

/* Receive until the judge says something, which is left for the main loop */
static int run(struct me *m)
{
	struct pollfd pfd = { .fd = m->ctl, .events = POLLIN };
	int ret = 0;

	while (!ret && poll(&pfd, 1, 0) == 0) {
		run_accept(m);
		ret = turn(m, 2000);
		give_all(m);
	}
	return ret;
}

static int check(struct me *m)
{
	int ret = 0;

	for (unsigned int i = 0; i < m->n_kept && !ret && m->q.region; i++)
		ret = right(m, &m->kept[i]);
	return ret;
}

static int drain(struct me *m, struct conn *c, bool compare)
{
	static uint8_t buf[1 << 16];
	ssize_t n;

	while (c->fd >= 0 && (n = recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		size_t good = compare ? pattern_check(buf, c->pos, (size_t)n) : (size_t)n;

		if (good != (size_t)n)
			return fail(m, -EBADMSG, "byte %llu of a stream read by recv(2) is wrong",
				    (unsigned long long)c->pos + good);
		c->pos += (uint64_t)n;
		/* without end otherwise */
		if (compare && c->pos > UNREAD_ENOUGH)
			break;
	}
	return 0;
}

static int read_sockets(struct me *m)
{
	struct conn *c = &m->conn[CONN_UNREAD];
	int ret = drain(m, c, true);

	if (!ret && c->pos < UNREAD_ENOUGH)
		ret = fail(m, -EBADMSG, "%llu bytes of %u could be read by recv(2)",
			   (unsigned long long)c->pos, UNREAD_ENOUGH);
	return ret;
}

static int shut(struct me *m)
{
	for (unsigned int i = 0; i < MAX_CONNS; i++)
		forget(&m->conn[i]);
	for (unsigned int i = 0; i < 3; i++) {
		if (m->listener[i] >= 0)
			close(m->listener[i]);
		m->listener[i] = -1;
	}
	return 0;
}

/* All of them, and wait until nothing more comes of them */
static int cancel(struct me *m)
{
	uint64_t end = life_now_ms() + 2000 * m->slow;
	struct io_uring_sqe *sqe = io_uring_get_sqe(&m->q.ring);
	struct io_uring_cqe *cqe;
	bool done = false;

	io_uring_prep_cancel(sqe, NULL, IORING_ASYNC_CANCEL_ANY);
	sqe->user_data = USER_DATA_CANCEL;
	while (!done && life_now_ms() < end) {
		struct __kernel_timespec ts = { .tv_nsec = 5000000 };

		io_uring_submit_and_wait_timeout(&m->q.ring, &cqe, 1, &ts, NULL);
		while (!io_uring_peek_cqe(&m->q.ring, &cqe)) {
			if (cqe->user_data == USER_DATA_CANCEL)
				done = true;
			io_uring_cqe_seen(&m->q.ring, cqe);
		}
	}
	return done ? 0 : fail(m, -ETIMEDOUT, "requests cannot be cancelled");
}

static int close_ring(struct me *m)
{
	arm_drained(m);
	races_ifq_close(&m->q);
	return 0;
}

static int unmap_rings(struct me *m)
{
	int ret = munmap(m->q.map, m->q.reg.mmap_sz);

	m->q.map = NULL;
	return ret ? -errno : 0;
}

static int unmap_region(struct me *m)
{
	int ret = munmap(m->q.region, m->q.region_size);

	m->q.region = NULL;
	return ret ? -errno : 0;
}

static int unregister(struct me *m)
{
	return io_uring_unregister_buffers(&m->q.ring);
}

/* User Mode Linux 6.12 copies mappings of higher orders wrongly in fork(2), and so those of rings.
 * There the second process has the descriptor and the region only.
 */
static void hide_rings(struct me *m)
{
	struct io_uring *r = &m->q.ring;

	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		return;
	if (r->ring_fd >= 0) {
		madvise(r->sq.ring_ptr, r->sq.ring_sz, MADV_DONTFORK);
		madvise(r->sq.sqes, r->sq.ring_entries * sizeof(struct io_uring_sqe), MADV_DONTFORK);
	}
	if (m->q.map)
		madvise(m->q.map, m->q.reg.mmap_sz, MADV_DONTFORK);
}

static int fork_second(struct me *m, int *value)
{
	hide_rings(m);
	*value = fork();
	if (!*value) {
		close(m->ctl);
		for (;;)
			pause();
	}
	return *value < 0 ? -errno : 0;
}

static int send_ring(struct me *m)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {
		.head = {
			.cmsg_len = CMSG_LEN(sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		},
	};
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.space),
	};
	int sv[2], ret;

	memcpy(CMSG_DATA(&control.head), &m->q.ring.ring_fd, sizeof(int));
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, sv))
		return -errno;
	ret = sendmsg(sv[0], &msg, MSG_DONTWAIT) < 0 ? -errno : 0;
	close(sv[0]);
	close(sv[1]);
	return ret;
}

static int leave(struct me *m)
{
	return setns(m->nic->home, CLONE_NEWNET) ? -errno : 0;
}

static int exec_other(struct me *m, bool keep)
{
	if (keep && fcntl(m->q.ring.ring_fd, F_SETFD, 0))
		return -errno;
	arm_drained(m);
	execl("/proc/self/exe", "zc-life", "--sleep", (char *)NULL);
	return -errno;
}

static int obey(struct me *m, enum user_cmd cmd, int *value)
{
	switch (cmd) {
	case USER_BEGIN:
		return begin(m);
	case USER_RUN:
		return bind_queue(m) ?: listen_all(m);
	case USER_STOP:
		return 0;
	case USER_GIVE:
		give_all(m);
		return 0;
	case USER_READ:
		return read_sockets(m);
	case USER_SHUT:
		return shut(m);
	case USER_CANCEL:
		return cancel(m);
	case USER_RING:
		return close_ring(m);
	case USER_UNMAP:
		return unmap_rings(m);
	case USER_REGION:
		return unmap_region(m);
	case USER_UNREG:
		return unregister(m);
	case USER_FORK:
		return fork_second(m, value);
	case USER_SEND:
		return send_ring(m);
	case USER_LEAVE:
		return leave(m);
	case USER_EXEC:
		return exec_other(m, false);
	case USER_EXEC_KEEP:
		return exec_other(m, true);
	case USER_CHECK:
		*value = m->q.ring.ring_fd;
		return check(m);
	case USER_EXIT:
		arm_drained(m);
		break;
	}
	_exit(0);
}

static int live(struct me *m)
{
	for (;;) {
		struct reply reply = { 0 };
		uint8_t cmd;

		if (recv(m->ctl, &cmd, 1, 0) != 1)
			return 0;
		reply.ret = obey(m, cmd, &reply.value);
		if (send(m->ctl, &reply, sizeof(reply), MSG_NOSIGNAL) != sizeof(reply))
			return 1;
		if (cmd == USER_RUN && !reply.ret)
			run(m);
	}
}

static int settle(enum life_home home, unsigned int regions)
{
	static const int flags[] = {
		[LIFE_HOME_NS] = CLONE_NEWNET,
		[LIFE_HOME_USERNS] = CLONE_NEWUSER | CLONE_NEWNET,
	};
	rlim_t bytes = (rlim_t)regions * LIFE_PAGES * LIFE_PAGE;
	const struct rlimit limit = { bytes, bytes };

	/* in another user namespace it has no right to raise it */
	if (setrlimit(RLIMIT_MEMLOCK, &limit) || (home && unshare(flags[home])))
		return -errno;
	return drop_ipc_lock();
}

/* ---- the judge's side --------------------------------------------------- */

/**
 * user_start() - a new user
 * @u: no user; its shared memory is kept
 * @nic: device; the user gets a copy
 * @home: where it lives
 * @regions: how much memory it may have locked, with others that are gone but not released
 * @slow: how many times longer than usual things may take
 *
 * Return: 0, or -errno without a user.
 */
int user_start(struct user *u, struct nic *nic, enum life_home home, unsigned int regions,
	       unsigned int slow)
{
	struct reply settled = { 0 };
	int sv[2];

	if (!u->s) {
		u->s = mmap(NULL, sizeof(*u->s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (u->s == MAP_FAILED)
			return -errno;
	}
	memset(u->s, 0, sizeof(*u->s));
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv))
		return -errno;
	fflush(stdout);
	u->pid = fork();
	if (!u->pid) {
		struct me *m = calloc(1, sizeof(*m));

		close(sv[0]);
		if (!m)
			_exit(1);
		*m = (struct me){ .nic = nic, .slow = slow, .ctl = sv[1], .s = u->s, .q.ring.ring_fd = -1 };
		for (unsigned int i = 0; i < MAX_CONNS; i++)
			m->conn[i].fd = -1;
		memset(m->listener, -1, sizeof(m->listener));
		settled.ret = settle(home, regions);
		if (send(sv[1], &settled, sizeof(settled), MSG_NOSIGNAL) < 0)
			_exit(1);
		_exit(live(m));
	}
	close(sv[1]);
	u->ctl = sv[0];
	if (u->pid < 0 || recv(u->ctl, &settled, sizeof(settled), 0) != sizeof(settled)) {
		close(u->ctl);
		return -ECHILD;
	}
	return settled.ret;
}

/**
 * user_tell() - give the user a command
 * @u: user
 * @cmd: command
 *
 * Return: 0, -errno.
 */
int user_tell(struct user *u, enum user_cmd cmd)
{
	uint8_t byte = (uint8_t)cmd;

	return send(u->ctl, &byte, 1, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

/**
 * user_hear() - wait for the answer
 * @u: user
 * @value: out: what else the answer says; may be NULL
 *
 * Return: what the user returned, or -ECHILD if it has gone, or become another program.
 */
int user_hear(struct user *u, int *value)
{
	struct reply reply;

	if (recv(u->ctl, &reply, sizeof(reply), 0) != sizeof(reply))
		return -ECHILD;
	if (value)
		*value = reply.value;
	return reply.ret;
}

/**
 * user_do() - have the user do something
 * @u: user
 * @cmd: what
 *
 * Return: as user_hear().
 */
int user_do(struct user *u, enum user_cmd cmd)
{
	return user_tell(u, cmd) ?: user_hear(u, NULL);
}

/**
 * user_why() - what went wrong
 * @u: user
 * @err: what it returned, negative
 *
 * Return: words.
 */
const char *user_why(const struct user *u, int err)
{
	return u->s->failed ? u->s->why : strerror(-err);
}

/**
 * user_kill() - kill it, and wait until it is dead
 * @u: user, or none
 */
void user_kill(struct user *u)
{
	if (!u->pid)
		return;
	kill(u->pid, SIGKILL);
	user_reap(u);
}

/**
 * user_reap() - wait until it has gone by itself
 * @u: user
 */
void user_reap(struct user *u)
{
	waitpid(u->pid, NULL, 0);
	close(u->ctl);
	u->pid = 0;
	u->ctl = -1;
}
