// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <linux/virtio_pcidev.h>
#include <linux/virtio_ring.h>

#include "../vhost-front.h"
#include "front.h"

/* Offsets in the test's own memory */
#define QUEUE_AT(q) ((q)*0x4000u)
#define AVAIL_OFF 0x1000u
#define USED_OFF 0x2000u
#define SLOT 0x1100u /* of a message and its data */
#define SLOT_AT(q, i) (0x10000u + ((q)*FRONT_NUM + (i)) * SLOT)
#define REQ_AT 0xf0000u
#define RESP_AT 0xf1000u

#define PATIENCE_MS 20000 /* machines that run tests are busy, sanitizers slow */

static unsigned int now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000u + ts.tv_nsec / 1000000;
}

static void nap(void)
{
	const struct timespec ts = { .tv_nsec = 200000 };

	nanosleep(&ts, NULL);
}

/**
 * front_init - prepare to start emulators
 * @f: front end
 * @program: bnxt-emu
 * @tap_fd: TAP device for it
 * @dir: where socket and log go
 *
 * Return: false with errno set.
 */
bool front_init(struct front *f, const char *program, int tap_fd, const char *dir)
{
	uint8_t *mem;

	*f = (struct front){ .program = program, .tap_fd = tap_fd, .sock = -1 };
	snprintf(f->path, sizeof(f->path), "%s/hostile.sock", dir);
	snprintf(f->log, sizeof(f->log), "%s/bnxt-emu.log", dir);
	f->memfd = memfd_create("guest", MFD_CLOEXEC);
	if (f->memfd < 0 || ftruncate(f->memfd, FRONT_OWN_SIZE + FRONT_PLAY_SIZE))
		return false;
	mem = mmap(NULL, FRONT_OWN_SIZE + FRONT_PLAY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		   f->memfd, 0);
	if (mem == MAP_FAILED)
		return false;
	f->own = mem;
	f->play = mem + FRONT_OWN_SIZE;
	for (int q = 0; q < FRONT_QUEUES; q++) {
		f->kick[q] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (f->kick[q] < 0 || pipe2(f->call[q], O_CLOEXEC | O_NONBLOCK))
			return false;
	}
	return true;
}

/**
 * front_free - end what is left of an emulator, give everything back
 * @f: front end
 */
void front_free(struct front *f)
{
	front_hang_up(f);
	front_kill(f);
	munmap(f->own, FRONT_OWN_SIZE + FRONT_PLAY_SIZE);
	close(f->memfd);
	for (int q = 0; q < FRONT_QUEUES; q++) {
		close(f->kick[q]);
		close(f->call[q][0]);
		close(f->call[q][1]);
	}
}

static void run_program(const struct front *f)
{
	char fd[16];
	int log = open(f->log, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	snprintf(fd, sizeof(fd), "%d", f->tap_fd);
	if (log < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0 || fcntl(f->tap_fd, F_SETFD, 0))
		_exit(126);
	/* what is freed stays a while to catch its users, but not so long that it looks like a leak */
	setenv("ASAN_OPTIONS", "quarantine_size_mb=1", 1);
	execl(f->program, f->program, "--socket", f->path, "--tap-fd", fd, "--queues", "4", "--rfs",
	      "v3", "--queue-restart", f->no_gso ? "--no-gso" : NULL, NULL);
	_exit(127);
}

/**
 * front_start - start the emulator, wait until it listens
 * @f: front end without a running one
 *
 * Return: false if it does not.
 */
bool front_start(struct front *f)
{
	unsigned int start = now_ms();

	unlink(f->path);
	f->pid = fork();
	if (!f->pid)
		run_program(f);
	while (f->pid > 0 && access(f->path, F_OK)) {
		if (now_ms() - start > PATIENCE_MS || waitpid(f->pid, NULL, WNOHANG) == f->pid) {
			f->pid = 0;
			return false;
		}
		nap();
	}
	return f->pid > 0;
}

/**
 * front_connect - connect to the emulator's socket
 * @f: front end with a running one
 *
 * Return: false with errno set.
 */
bool front_connect(struct front *f)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	const struct timeval limit = { .tv_sec = PATIENCE_MS / 1000 };

	strcpy(sa.sun_path, f->path);
	f->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return f->sock >= 0 && !connect(f->sock, (struct sockaddr *)&sa, sizeof(sa)) &&
	       !setsockopt(f->sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

/**
 * front_hang_up - close the connection
 * @f: front end
 */
void front_hang_up(struct front *f)
{
	if (f->sock >= 0)
		close(f->sock);
	f->sock = -1;
}

/**
 * front_wait - wait for the emulator's end
 * @f: front end
 * @ms: how long at most
 *
 * Return: its exit status, 1000 + N if signal N ended it, -1 if it runs still.
 */
int front_wait(struct front *f, unsigned int ms)
{
	unsigned int start = now_ms();
	int status;

	while (waitpid(f->pid, &status, WNOHANG) != f->pid) {
		if (now_ms() - start > ms)
			return -1;
		nap();
	}
	f->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/**
 * front_kill - end an emulator that should have ended
 * @f: front end
 */
void front_kill(struct front *f)
{
	if (f->pid <= 0)
		return;
	kill(f->pid, SIGKILL);
	waitpid(f->pid, NULL, 0);
	f->pid = 0;
}

/**
 * front_log_has - look for a text in what the emulator said
 * @f: front end
 * @text: what to look for
 *
 * Return: whether it is there.
 */
bool front_log_has(const struct front *f, const char *text)
{
	FILE *log = fopen(f->log, "re");
	char line[1024];
	bool found = false;

	while (log && fgets(line, sizeof(line), log))
		found |= strstr(line, text) != NULL;
	if (log)
		fclose(log);
	return found;
}

/**
 * front_sanitizer - look for reports of sanitizers
 * @f: front end
 *
 * Return: what there is one of, NULL if there is none.
 */
const char *front_sanitizer(const struct front *f)
{
	static const char *const words[] = { "AddressSanitizer", "LeakSanitizer", "runtime error" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (front_log_has(f, words[i]))
			return words[i];
	return NULL;
}

/**
 * front_memory_kb - memory that the emulator has for itself
 * @f: front end
 *
 * Return: kilobytes without what it shares with the guest, -1 if nobody knows.
 */
long front_memory_kb(const struct front *f)
{
	char name[64], line[256];
	long kb = -1;
	FILE *status;

	snprintf(name, sizeof(name), "/proc/%d/status", f->pid);
	status = fopen(name, "re");
	while (status && fgets(line, sizeof(line), status))
		sscanf(line, "RssAnon: %ld", &kb);
	if (status)
		fclose(status);
	return kb;
}

/*
 * Messages
 */

static struct front_msg plain(uint32_t req, bool reply)
{
	return (struct front_msg){ .req = req, .fd = -1, .reply = reply };
}

static struct front_msg number(uint32_t req, uint64_t v, int fd)
{
	struct front_msg m = { .req = req, .size = 8, .fd = fd };

	memcpy(m.payload, &v, 8);
	return m;
}

static struct front_msg state(uint32_t req, uint32_t index, uint32_t num)
{
	return number(req, index | (uint64_t)num << 32, -1);
}

static struct front_msg rings(uint32_t q)
{
	const uint64_t at = FRONT_USER_BASE + QUEUE_AT(q);
	const struct vhost_addr p = { q, 0, at, at + USED_OFF, at + AVAIL_OFF, 0 };
	struct front_msg m = { .req = REQ_SET_VRING_ADDR, .size = sizeof(p), .fd = -1 };

	memcpy(m.payload, &p, sizeof(p));
	return m;
}

/* Two regions of the one file: the descriptor goes with the message twice */
static struct front_msg table(struct front *f, uint32_t play_size)
{
	const uint64_t n = play_size ? 2 : 1;
	const struct vhost_region r[2] = {
		{ FRONT_OWN_BASE, FRONT_OWN_SIZE, FRONT_USER_BASE, 0 },
		{ FRONT_PLAY_BASE, play_size, FRONT_USER_BASE + FRONT_OWN_SIZE, FRONT_OWN_SIZE },
	};
	struct front_msg m = { .req = REQ_SET_MEM_TABLE, .size = 8 + sizeof(r), .fd = f->memfd };

	memcpy(m.payload, &n, 8);
	memcpy(m.payload + 8, r, sizeof(r));
	return m;
}

static unsigned int queue_messages(struct front *f, unsigned int q, struct front_msg *msg)
{
	unsigned int n = 0;

	memset(f->own + QUEUE_AT(q), 0, 0x4000);
	f->avail[q] = 0;
	f->irqs_seen = q == 1 ? 0 : f->irqs_seen;
	msg[n++] = number(REQ_SET_VRING_CALL, q, f->call[q][1]);
	msg[n++] = state(REQ_SET_VRING_NUM, q, FRONT_NUM);
	msg[n++] = state(REQ_SET_VRING_BASE, q, 0);
	msg[n++] = rings(q);
	msg[n++] = number(REQ_SET_VRING_KICK, q, f->kick[q]);
	msg[n++] = state(REQ_SET_VRING_ENABLE, q, 1);
	return n;
}

/**
 * front_beginning - all that User Mode Linux says before it uses the device
 * @f: front end
 * @msg: set
 * @max: room in it, at least 20
 *
 * Return: number of messages.
 */
unsigned int front_beginning(struct front *f, struct front_msg *msg, unsigned int max)
{
	unsigned int n = 0;

	if (max < 20)
		return 0;
	msg[n++] = plain(REQ_SET_OWNER, false);
	msg[n++] = plain(REQ_GET_FEATURES, true);
	msg[n++] = plain(REQ_GET_PROTOCOL, true);
	msg[n++] = number(REQ_SET_PROTOCOL, VHOST_PROTOCOL, -1);
	msg[n] = plain(REQ_SET_SLAVE_FD, false);
	msg[n++].fd = f->call[0][1];
	msg[n++] = number(REQ_SET_FEATURES, VHOST_FEATURES, -1);
	msg[n++] = table(f, FRONT_PLAY_SIZE);
	for (unsigned int q = 0; q < FRONT_QUEUES; q++)
		n += queue_messages(f, q, msg + n);
	return n;
}

/**
 * front_send - send a message, or a part of it
 * @f: front end
 * @m: message
 * @bytes: how many of it; all if that is more
 * @nfds: how often its descriptor goes with it
 *
 * Return: false if that failed, or the reply did.
 */
bool front_send(struct front *f, const struct front_msg *m, size_t bytes, unsigned int nfds)
{
	uint32_t head[3] = { m->req, VHOST_VERSION, m->size }, reply[5];
	uint8_t buf[VHOST_HEADER + sizeof(m->payload)];
	struct iovec iov = { .iov_base = buf, .iov_len = VHOST_HEADER + m->size };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(FRONT_MAX_FDS * sizeof(int))];
	} control = { 0 };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	bool whole = bytes >= iov.iov_len;

	memcpy(buf, head, VHOST_HEADER);
	memcpy(buf + VHOST_HEADER, m->payload, m->size);
	if (!whole)
		iov.iov_len = bytes;
	if (nfds) {
		struct cmsghdr *c = &control.align;

		mh.msg_control = &control;
		mh.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		for (unsigned int i = 0; i < nfds; i++) {
			int fd = m->fd >= 0 ? m->fd : f->memfd;

			memcpy(CMSG_DATA(c) + i * sizeof(int), &fd, sizeof(int));
		}
	}
	if (sendmsg(f->sock, &mh, MSG_NOSIGNAL) != (ssize_t)iov.iov_len)
		return false;
	return !whole || !m->reply ||
	       recv(f->sock, reply, sizeof(reply), MSG_WAITALL) == sizeof(reply);
}

static unsigned int fds_of(const struct front_msg *m)
{
	uint64_t n;

	if (m->req != REQ_SET_MEM_TABLE)
		return m->fd >= 0;
	memcpy(&n, m->payload, 8);
	return n;
}

static bool send_all(struct front *f, const struct front_msg *msg, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (!front_send(f, &msg[i], SIZE_MAX, fds_of(&msg[i])))
			return false;
	return true;
}

/**
 * front_attach - say all of the beginning
 * @f: front end that is connected
 *
 * Return: false if the emulator hung up.
 */
bool front_attach(struct front *f)
{
	struct front_msg msg[24];
	unsigned int n = front_beginning(f, msg, 24);

	return send_all(f, msg, n);
}

/**
 * front_set_memory - change the guest's memory; the queues stop by it
 * @f: front end that is attached
 * @play_size: bytes of the region to play with, page aligned, 0 for none
 *
 * Return: false if the emulator hung up.
 */
bool front_set_memory(struct front *f, uint32_t play_size)
{
	/* with the answer to the second the first has been done: the queues may be written to */
	const struct front_msg m[2] = { table(f, play_size), plain(REQ_GET_FEATURES, true) };

	return front_settle(f) && send_all(f, m, 2);
}

/**
 * front_set_queues - set the queues up
 * @f: front end that is attached
 *
 * Return: false if the emulator hung up.
 */
bool front_set_queues(struct front *f)
{
	struct front_msg msg[16];
	unsigned int n = 0;

	for (unsigned int q = 0; q < FRONT_QUEUES; q++)
		n += queue_messages(f, q, msg + n);
	return send_all(f, msg, n);
}

/*
 * Virtqueues. Descriptors are used in turns, two a message.
 */

static uint16_t used(const struct front *f, unsigned int q)
{
	const struct vring_used *u = (const void *)(f->own + QUEUE_AT(q) + USED_OFF);

	return __atomic_load_n(&u->idx, __ATOMIC_ACQUIRE);
}

static void kick(struct front *f, unsigned int q)
{
	const uint64_t one = 1;

	/* full: kicks enough */
	if (write(f->kick[q], &one, 8) != 8)
		return;
}

static void offer(struct front *f, unsigned int q, unsigned int head)
{
	struct vring_avail *a = (void *)(f->own + QUEUE_AT(q) + AVAIL_OFF);

	a->ring[f->avail[q] % FRONT_NUM] = head;
	__atomic_store_n(&a->idx, ++f->avail[q], __ATOMIC_RELEASE);
}

static void set_desc(struct front *f, unsigned int q, unsigned int i, uint32_t len, uint16_t flags)
{
	struct vring_desc *d = (void *)(f->own + QUEUE_AT(q));

	d[i] = (struct vring_desc){ .addr = FRONT_OWN_BASE + SLOT_AT(q, i),
				    .len = len,
				    .flags = flags,
				    .next = (i + 1) % FRONT_NUM };
}

/* Waits until no more than @open messages are with the device */
static bool wait_used(struct front *f, uint16_t open)
{
	unsigned int start = now_ms();

	for (unsigned int spins = 0; (uint16_t)(f->avail[0] - used(f, 0)) > open; spins++) {
		struct pollfd pfd = { .fd = f->sock, .events = POLLIN };

		if (now_ms() - start > PATIENCE_MS || poll(&pfd, 1, 0) == 1)
			return false; /* it does not answer, or it hung up */
		if (spins > 50)
			nap();
	}
	return true;
}

static void drain_calls(struct front *f)
{
	char buf[512];

	for (int q = 0; q < FRONT_QUEUES; q++)
		while (read(f->call[q][0], buf, sizeof(buf)) > 0)
			;
}

/**
 * front_write - a posted access of the guest
 * @f: front end that is attached
 * @op: VIRTIO_PCIDEV_OP_*
 * @bar: number of the BAR
 * @addr: offset
 * @data: what is written
 * @size: its bytes, at most 4096
 *
 * Return: false if the device takes nothing any more.
 */
bool front_write(struct front *f, uint8_t op, uint8_t bar, uint64_t addr, const void *data,
		 uint32_t size)
{
	struct virtio_pcidev_msg m = { .op = op, .bar = bar, .size = size, .addr = addr };
	unsigned int i;

	if (!wait_used(f, FRONT_NUM / 2 - 2))
		return false;
	i = f->avail[0] * 2 % FRONT_NUM;
	memcpy(f->own + SLOT_AT(0, i), &m, sizeof(m));
	memcpy(f->own + SLOT_AT(0, i) + sizeof(m), data, size);
	set_desc(f, 0, i, sizeof(m) + size, 0);
	f->messages++;
	offer(f, 0, i);
	kick(f, 0);
	drain_calls(f);
	return true;
}

/**
 * front_settle - wait until the device has done all that was written
 * @f: front end that is attached
 *
 * Return: false if it does not.
 */
bool front_settle(struct front *f)
{
	return wait_used(f, 0);
}

/**
 * front_read - a read of the guest
 * @f: front end that is attached
 * @op: VIRTIO_PCIDEV_OP_*
 * @bar: number of the BAR
 * @addr: offset
 * @size: bytes, at most 4096
 * @val: the first 8 of what was read
 *
 * Return: false if the device does not answer.
 */
bool front_read(struct front *f, uint8_t op, uint8_t bar, uint64_t addr, uint32_t size,
		uint64_t *val)
{
	struct virtio_pcidev_msg m = { .op = op, .bar = bar, .size = size, .addr = addr };
	unsigned int i;

	if (!wait_used(f, FRONT_NUM / 2 - 2))
		return false;
	i = f->avail[0] * 2 % FRONT_NUM;
	memcpy(f->own + SLOT_AT(0, i), &m, sizeof(m));
	memset(f->own + SLOT_AT(0, i + 1), 0, 8);
	set_desc(f, 0, i, sizeof(m), VRING_DESC_F_NEXT);
	set_desc(f, 0, i + 1, size, VRING_DESC_F_WRITE);
	f->messages++;
	offer(f, 0, i);
	kick(f, 0);
	if (!wait_used(f, 0))
		return false;
	memcpy(val, f->own + SLOT_AT(0, i + 1), 8);
	return true;
}

/**
 * front_offer_irqs - count interrupts, give the device room for more
 * @f: front end that is attached
 */
void front_offer_irqs(struct front *f)
{
	uint16_t seen = used(f, 1);

	f->irqs += (uint16_t)(seen - f->irqs_seen);
	f->irqs_seen = seen;
	while ((uint16_t)(f->avail[1] - used(f, 1)) < 10) {
		unsigned int i = f->avail[1] % FRONT_NUM;

		set_desc(f, 1, i, 20, VRING_DESC_F_WRITE);
		offer(f, 1, i);
	}
	kick(f, 1);
	drain_calls(f);
}

/**
 * front_enable - memory space, bus master and MSI-X on
 * @f: front end that is attached
 *
 * Return: false if the device takes nothing any more.
 */
bool front_enable(struct front *f)
{
	const uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, msix = 0x8000;

	/* MSI-X is the capability at 0xa0 (pci.c) */
	return front_write(f, VIRTIO_PCIDEV_OP_CFG_WRITE, 0, PCI_COMMAND, &command, 2) &&
	       front_write(f, VIRTIO_PCIDEV_OP_CFG_WRITE, 0, 0xa2, &msix, 2);
}

/**
 * front_set_avail - tell the device of messages that there are not
 * @f: front end that is attached
 * @index: of the command queue's next one
 */
void front_set_avail(struct front *f, uint16_t index)
{
	struct vring_avail *a = (void *)(f->own + QUEUE_AT(0) + AVAIL_OFF);

	__atomic_store_n(&a->idx, index, __ATOMIC_RELEASE);
}

/**
 * front_answer - where firmware's answers go, unless the request says otherwise
 * @f: front end
 *
 * Return: the answer's first byte.
 */
const uint8_t *front_answer(const struct front *f)
{
	return f->own + RESP_AT;
}

/**
 * front_hwrm - a firmware command, not waited for
 * @f: front end that is attached and enabled
 * @req: request; its answer's address is the test's own if it is 0
 * @len: its bytes, at most 256
 *
 * Return: false if the device takes nothing any more.
 */
bool front_hwrm(struct front *f, const void *req, size_t len)
{
	struct hwrm_req_hdr hdr;
	struct hwrm_short_req brief = { .signature = HWRM_SHORT_SIGNATURE,
					.size = len,
					.req_addr = FRONT_OWN_BASE + REQ_AT };
	const uint32_t one = 1;

	memcpy(&hdr, req, sizeof(hdr));
	if (!hdr.resp_addr)
		hdr.resp_addr = FRONT_OWN_BASE + RESP_AT;
	hdr.seq_id = ++f->seq;
	brief.req_type = hdr.req_type;
	memset(f->own + RESP_AT, 0, 1024);
	memcpy(f->own + REQ_AT, req, len);
	memcpy(f->own + REQ_AT, &hdr, sizeof(hdr));
	return front_write(f, VIRTIO_PCIDEV_OP_MMIO_WRITE, 0, 0, &brief, sizeof(brief)) &&
	       front_write(f, VIRTIO_PCIDEV_OP_MMIO_WRITE, 0, GRC_HWRM_TRIGGER, &one, 4) &&
	       front_settle(f);
}

/**
 * front_ask - a firmware command without fields
 * @f: front end that is attached and enabled
 * @op: command
 * @answer: its answer, header included, or NULL
 * @len: room there
 *
 * Return: error code, -1 for no answer, -2 if the device takes nothing any more.
 */
int front_ask(struct front *f, uint16_t op, void *answer, size_t len)
{
	uint8_t req[64] = { 0 };
	const struct hwrm_req_hdr hdr = { .req_type = op,
					  .cmpl_ring = HWRM_NO_CMPL_RING,
					  .target_id = 0xffff };
	struct hwrm_resp_hdr r;

	memcpy(req, &hdr, sizeof(hdr));
	if (!front_hwrm(f, req, sizeof(req)))
		return -2;
	memcpy(&r, f->own + RESP_AT, sizeof(r));
	if (!r.resp_len || r.req_type != op || r.seq_id != f->seq ||
	    f->own[RESP_AT + r.resp_len - 1] != 1)
		return -1;
	if (answer)
		memcpy(answer, f->own + RESP_AT, len);
	return r.error_code;
}

/**
 * front_sane - does the device still serve a sane driver?
 * @f: front end that is attached
 *
 * Resets the function and asks as the driver's probe does.
 *
 * Return: whether it does.
 */
bool front_sane(struct front *f)
{
	const uint16_t flr = 0x8000; /* PCIe is the capability at 0xac (pci.c) */
	uint64_t id = 0, status = 0;
	unsigned int start = now_ms();

	if (!front_write(f, VIRTIO_PCIDEV_OP_CFG_WRITE, 0, 0xac + PCI_EXP_DEVCTL, &flr, 2) ||
	    !front_enable(f) || !front_read(f, VIRTIO_PCIDEV_OP_CFG_READ, 0, 0, 4, &id) ||
	    id != 0x175114e4)
		return false;
	/* firmware that was told to restart takes a while */
	while ((status & 0xffff) != FW_STATUS_READY) {
		if (now_ms() - start > PATIENCE_MS ||
		    !front_read(f, VIRTIO_PCIDEV_OP_MMIO_READ, 0, GRC_FW_STATUS, 4, &status))
			return false;
	}
	return front_ask(f, HWRM_VER_GET, NULL, 0) == 0 &&
	       front_ask(f, HWRM_FUNC_RESET, NULL, 0) == 0 &&
	       front_ask(f, HWRM_FUNC_QCAPS, NULL, 0) == 0;
}
