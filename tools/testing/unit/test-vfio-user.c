// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The vfio-user server against a client that behaves as QEMU does, and against
 * ones that do not. The client is a thread on the other end of the real socket; the
 * server's loop runs in the main thread. Behind it is the real PCI function with a
 * small device: a write to its registers makes it write to memory, or interrupt.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "../../bnxt-emu/sigbus.h"
#include "../../bnxt-emu/vfio_user.h"
#include "../tap.h"
#include "leaks.h"
#include "no-hooks.h"

#define MEM_SIZE	0x10000u
#define VECTORS		20u
#define MAX_FDS		20u

/* Commands */
enum {
	VERSION = 1, DMA_MAP, DMA_UNMAP, GET_INFO, REGION_INFO, REGION_IO_FDS, IRQ_INFO, SET_IRQS,
	REGION_READ, REGION_WRITE, RESET = 13, WRITE_MULTI = 15,
};

#define REPLY		1u
#define NO_REPLY	0x10u
#define ERROR		0x20u

/* Registers of the device, in BAR 0 */
#define REG_POKE	0x10u	/* write: address where to put its complement */
#define REG_IRQ		0x18u	/* write: vector to raise */
#define REG_FAILED	0x20u	/* read: pokes to addresses that are nobody's */
#define REG_RESETS	0x28u	/* read: resets so far */
#define REG_KEEP	0x30u	/* keeps what is written */
#define REG_STALL	0x38u	/* write: microseconds for which the server does nothing else */

/* Where the MSI-X capability lies, and the bits that switch it on */
#define CFG_MSIX_FLAGS	0xa2u

#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define MSIX		VFIO_PCI_MSIX_IRQ_INDEX
#define INTX		VFIO_PCI_INTX_IRQ_INDEX
#define NONE		VFIO_IRQ_SET_DATA_NONE
#define BOOL		VFIO_IRQ_SET_DATA_BOOL
#define EVENTFD		VFIO_IRQ_SET_DATA_EVENTFD
#define MASK		VFIO_IRQ_SET_ACTION_MASK
#define UNMASK		VFIO_IRQ_SET_ACTION_UNMASK
#define TRIGGER		VFIO_IRQ_SET_ACTION_TRIGGER
#define RW		(VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

struct client {
	char path[64];
	int sock;
	int memfd;
	uint64_t *mem;
	uint64_t mem_size, page;	/* bytes, of all and of one page */
	int irq[VECTORS];
	uint16_t id;
	uint32_t reply_len;	/* of the last answer's payload */
	uint8_t reply[8192];
	bool (*act)(struct client *c);
	bool good;
};

struct server {
	struct loop *loop;
	struct pci *pci;
	struct transport *t;
	struct dma_map map;
	uint64_t failed, resets, keep;
	unsigned int detached, rounds, ends;
	unsigned int ends_wanted;	/* connections after which the loop stops */
	char reason[128];
};

/*
 * The device
 */

static uint64_t bar_read(void *host, enum nic_bar bar, uint64_t off, unsigned int size)
{
	struct server *s = host;

	(void)size;
	if (bar != NIC_BAR_GRC)
		return 0;
	return off == REG_FAILED ? s->failed : off == REG_RESETS ? s->resets :
	       off == REG_KEEP	 ? s->keep : 0;
}

static void bar_write(void *host, enum nic_bar bar, uint64_t off, unsigned int size, uint64_t val)
{
	struct server *s = host;
	uint64_t *p;

	(void)size;
	if (bar != NIC_BAR_GRC)
		return;
	switch (off) {
	case REG_POKE:
		p = dma_ptr(&s->map, val, sizeof(*p));
		if (p)
			*p = ~val;
		else
			s->failed++;
		return;
	case REG_IRQ:
		pci_msix_raise(s->pci, val);
		return;
	case REG_KEEP:
		s->keep = val;
		return;
	case REG_STALL:
		usleep(val);
		return;
	}
}

static bool msi(void *host, uint64_t addr, uint32_t data)
{
	(void)host;
	(void)addr;
	(void)data;
	tap_bail("a message where the table is kept outside");
	return false;
}

static bool vector(void *host, unsigned int v)
{
	struct server *s = host;

	return s->t->class->vector(s->t, v);
}

static void reset(void *host)
{
	struct server *s = host;

	s->resets++;
}

static const struct pci_ops pci_ops = {
	.bar_read = bar_read, .bar_write = bar_write, .msi = msi, .reset = reset, .vector = vector,
};

static struct dma_map *dma(void *host)
{
	return &((struct server *)host)->map;
}

static void detached(void *host)
{
	((struct server *)host)->detached++;
}

static void closed(void *host, const char *reason)
{
	struct server *s = host;

	snprintf(s->reason, sizeof(s->reason), "%s", reason ? reason : "");
	if (++s->ends >= s->ends_wanted)
		loop_stop(s->loop, 0);
}

static const struct transport_ops ops = { dma, detached, closed };

static bool hook_poll(void *arg)
{
	struct server *s = arg;

	s->rounds++;
	return s->t->class->poll(s->t);
}

static void hook_flush(void *arg)
{
	struct server *s = arg;

	s->t->class->flush(s->t);
}

static bool hook_sleep(void *arg, bool sleeping)
{
	struct server *s = arg;

	return s->t->class->sleep(s->t, sleeping);
}

static const struct loop_hooks hooks = { hook_poll, hook_flush, no_timers, hook_sleep };

/*
 * The client
 */

struct header {
	uint16_t id, command;
	uint32_t size, flags, error;
};

static bool send_raw(struct client *c, const void *a, size_t a_len, const void *b, size_t b_len,
		     const int *fds, unsigned int nfds)
{
	struct iovec iov[2] = { { (void *)a, a_len }, { (void *)b, b_len } };
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(MAX_FDS * sizeof(int))];
	} control;
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = b ? 2 : 1 };

	if (nfds) {
		struct cmsghdr *m = &control.align;

		mh.msg_control = &control;
		mh.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		m->cmsg_level = SOL_SOCKET;
		m->cmsg_type = SCM_RIGHTS;
		m->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(m), fds, nfds * sizeof(int));
	}
	return sendmsg(c->sock, &mh, MSG_NOSIGNAL) == (ssize_t)(a_len + (b ? b_len : 0));
}

static bool post(struct client *c, uint16_t command, uint32_t flags, const void *payload,
		 uint32_t len, const int *fds, unsigned int nfds)
{
	struct header h = { ++c->id, command, sizeof(h) + len, flags, 0 };

	return send_raw(c, &h, sizeof(h), payload, len, fds, nfds);
}

/* The answer to the last message: its error number, -1 when it is none */
static int answer(struct client *c, uint16_t command)
{
	struct header h;

	if (recv(c->sock, &h, sizeof(h), MSG_WAITALL) != sizeof(h) || h.id != c->id ||
	    h.command != command || h.size < sizeof(h) || h.size - sizeof(h) > sizeof(c->reply) ||
	    (h.flags != REPLY && h.flags != (REPLY | ERROR)))
		return -1;
	c->reply_len = h.size - sizeof(h);
	if (c->reply_len && recv(c->sock, c->reply, c->reply_len, MSG_WAITALL) != c->reply_len)
		return -1;
	if (h.flags & ERROR)
		return h.error && !c->reply_len ? (int)h.error : -1;
	return h.error ? -1 : 0;
}

static int ask_fds(struct client *c, uint16_t command, const void *payload, uint32_t len,
		   const int *fds, unsigned int nfds)
{
	return post(c, command, 0, payload, len, fds, nfds) ? answer(c, command) : -1;
}

static int ask(struct client *c, uint16_t command, const void *payload, uint32_t len)
{
	return ask_fds(c, command, payload, len, NULL, 0);
}

static int version_is(struct client *c, uint16_t major, uint16_t minor, const char *json,
		      size_t json_len)
{
	uint8_t p[1024];

	memcpy(p, &major, 2);
	memcpy(p + 2, &minor, 2);
	memcpy(p + 4, json, json_len);
	return ask(c, VERSION, p, 4 + json_len);
}

static bool hello(struct client *c)
{
	static const char json[] =
		"{\"capabilities\": {\"max_msg_fds\": 16, \"max_data_xfer_size\": 1048576, "
		"\"max_dma_maps\": 65535, \"pgsizes\": 4096, \"write_multiple\": true, "
		"\"migration\": {\"pgsize\": 4096, \"max_bitmap_size\": 268435456}}}";

	return !version_is(c, 0, 0, json, sizeof(json));
}

static int map_flags(struct client *c, uint32_t flags, uint64_t offset, uint64_t iova,
		     uint64_t size, int fd)
{
	struct {
		uint32_t argsz, flags;
		uint64_t offset, iova, size;
	} p = { sizeof(p), flags, offset, iova, size };

	return ask_fds(c, DMA_MAP, &p, sizeof(p), &fd, fd >= 0);
}

static int map(struct client *c, uint64_t offset, uint64_t iova, uint64_t size)
{
	return map_flags(c, RW, offset, iova, size, c->memfd);
}

static int unmap(struct client *c, uint32_t flags, uint64_t iova, uint64_t size)
{
	struct {
		uint32_t argsz, flags;
		uint64_t iova, size;
	} p = { sizeof(p), flags, iova, size };
	int err = ask(c, DMA_UNMAP, &p, sizeof(p));

	/* a good one is answered by itself */
	return !err && (c->reply_len != sizeof(p) || memcmp(c->reply, &p, sizeof(p))) ? -1 : err;
}

struct access {
	uint64_t offset;
	uint32_t region, count;
};

static bool send_write(struct client *c, uint32_t flags, uint32_t region, uint64_t offset,
		       const void *data, uint32_t count)
{
	uint8_t p[sizeof(struct access) + 4096];

	memcpy(p, &(struct access){ offset, region, count }, sizeof(struct access));
	memcpy(p + sizeof(struct access), data, count);
	return post(c, REGION_WRITE, flags, p, sizeof(struct access) + count, NULL, 0);
}

static int write_to(struct client *c, uint32_t region, uint64_t offset, uint64_t v, uint32_t count)
{
	return send_write(c, 0, region, offset, &v, count) ? answer(c, REGION_WRITE) : -1;
}

/* As doorbells are written */
static bool write_posted(struct client *c, uint64_t reg, uint64_t v)
{
	return send_write(c, NO_REPLY, 0, reg, &v, 8);
}

static int read_len(struct client *c, uint32_t region, uint64_t offset, uint32_t count)
{
	struct access a = { offset, region, count };

	return ask(c, REGION_READ, &a, sizeof(a));
}

/* All ones when it failed; no register here has that value */
static uint64_t read_from(struct client *c, uint32_t region, uint64_t offset, uint32_t count)
{
	struct access a = { offset, region, count };
	uint64_t v = 0;

	if (read_len(c, region, offset, count) || c->reply_len != sizeof(a) + count ||
	    memcmp(c->reply, &a, sizeof(a)))
		return ~0ull;
	memcpy(&v, c->reply + sizeof(a), count);
	return v;
}

static int irqs_with(struct client *c, uint32_t flags, uint32_t index, uint32_t start,
		     uint32_t count, const uint8_t *bools, uint32_t n_bools, const int *fds,
		     unsigned int nfds)
{
	uint8_t p[64 + VECTORS];
	struct vfio_irq_set set = { sizeof(set) + n_bools, flags, index, start, count };

	memcpy(p, &set, sizeof(set));
	if (n_bools)
		memcpy(p + sizeof(set), bools, n_bools);
	return ask_fds(c, SET_IRQS, p, sizeof(set) + n_bools, fds, nfds);
}

static int irqs(struct client *c, uint32_t flags, uint32_t index, uint32_t start, uint32_t count,
		const int *fds, unsigned int nfds)
{
	return irqs_with(c, flags, index, start, count, NULL, 0, fds, nfds);
}

/* How often an eventfd was signalled since the last time */
static unsigned int signals(int fd)
{
	uint64_t n = 0;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static unsigned int irq_info_count(struct client *c, uint32_t index)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = index };

	if (ask(c, IRQ_INFO, &info, sizeof(info)) || c->reply_len != sizeof(info))
		return ~0u;
	memcpy(&info, c->reply, sizeof(info));
	return info.index == index && info.argsz == sizeof(info) &&
	       !!info.count == !!(info.flags & VFIO_IRQ_INFO_EVENTFD) ? info.count : ~0u;
}

static uint64_t region_info_size(struct client *c, uint32_t index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	if (ask(c, REGION_INFO, &info, sizeof(info)) || c->reply_len != sizeof(info))
		return ~0ull;
	memcpy(&info, c->reply, sizeof(info));
	return info.index == index && info.argsz == sizeof(info) && !info.offset &&
	       info.flags == (info.size ? 3u : 0u) ? info.size : ~0ull;
}

/* The driver's part: memory space and bus master on, MSI-X on */
static bool driver_on(struct client *c)
{
	return !write_to(c, CONFIG, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2) &&
	       !write_to(c, CONFIG, CFG_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE, 2);
}

static bool set_up(struct client *c)
{
	return hello(c) && !map(c, 0, 0, MEM_SIZE) && driver_on(c) &&
	       !irqs(c, EVENTFD | TRIGGER, MSIX, 0, 16, c->irq, 16) &&
	       !irqs(c, EVENTFD | TRIGGER, MSIX, 16, VECTORS - 16, c->irq + 16, VECTORS - 16);
}

/*
 * Scenarios
 */

/* What QEMU asks, in its order, and the answers that it needs */
static bool like_qemu(struct client *c)
{
	static const uint64_t sizes[] = { 0x10000, 0, 0x20000, 0, 0x10000, 0, 0, 4096, 0 };
	static const unsigned int counts[] = { 1, 0, VECTORS, 0, 0 };
	uint32_t info[4] = { sizeof(info) };
	int none = -1;
	bool good = hello(c);

	good &= c->reply_len > 4 && !c->reply[c->reply_len - 1] &&
		!strcmp((char *)c->reply + 4,
			"{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":65536,"
			"\"max_dma_maps\":64,\"pgsizes\":4096,\"write_multiple\":true}}");
	good &= !map(c, 0, 0, 0xa000) && !map_flags(c, RW, 0, 0xfffc0000, 0x40000, none) &&
		!map_flags(c, VFIO_DMA_MAP_FLAG_READ, 0xa000, 0xc0000, 0x1000, c->memfd) &&
		!map(c, 0xb000, 0x100000000, 0x5000);
	good &= !ask(c, GET_INFO, info, sizeof(info)) && c->reply_len == sizeof(info);
	memcpy(info, c->reply, sizeof(info));
	good &= info[0] == sizeof(info) && info[1] == 3 && info[2] == 9 && info[3] == 5;
	for (uint32_t i = 0; i < 9; i++)
		good &= region_info_size(c, i) == sizes[i];
	for (uint32_t i = 0; i < 5; i++)
		good &= irq_info_count(c, i) == counts[i];
	good &= !read_len(c, CONFIG, 0, 4096) && c->reply_len == 16 + 4096 &&
		!memcmp(c->reply + 16, "\xe4\x14\x51\x17", 4);
	good &= !irqs(c, EVENTFD | TRIGGER, INTX, 0, 1, c->irq, 1) &&
		!irqs(c, EVENTFD | UNMASK, INTX, 0, 1, c->irq, 1);
	good &= !ask(c, RESET, NULL, 0) && !irqs(c, NONE | TRIGGER, INTX, 0, 0, NULL, 0);
	good &= !write_to(c, CONFIG, PCI_BASE_ADDRESS_0, 0xfe000000, 4) && driver_on(c);
	/* one vector without a descriptor: how QEMU switches MSI-X on with none in use */
	good &= !irqs(c, EVENTFD | TRIGGER, MSIX, 0, 1, NULL, 0) &&
		!irqs(c, EVENTFD | TRIGGER, MSIX, 2, 1, &c->irq[2], 1);
	good &= write_posted(c, REG_POKE, 0x9ff8) && write_posted(c, REG_POKE, 0x100000000) &&
		write_posted(c, REG_IRQ, 2) && read_from(c, 0, REG_FAILED, 8) == 0;
	return good && signals(c->irq[2]) == 1 && c->mem[0x9ff8 / 8] == ~0x9ff8ull &&
	       c->mem[0xb000 / 8] == ~0x100000000ull && read_from(c, 0, REG_RESETS, 4) == 1;
}

static bool capabilities(struct client *c)
{
	static const char some[] = "{ \"capabilities\" : { \"pgsizes\" : 4096 } }";
	bool good = !version_is(c, 0, 7, some, sizeof(some));

	/* the minor version is ours, and what the client did not tell is left out */
	good &= !memcmp(c->reply, "\0\0\0\0", 4) &&
		!strcmp((char *)c->reply + 4, "{\"capabilities\":{\"pgsizes\":4096}}");
	good &= version_is(c, 0, 0, some, sizeof(some)) == EINVAL;
	return good && irq_info_count(c, MSIX) == VECTORS;
}

static bool no_capabilities(struct client *c)
{
	return !version_is(c, 0, 0, "", 0) &&
	       !strcmp((char *)c->reply + 4, "{\"capabilities\":{}}");
}

static bool dma_windows(struct client *c)
{
	int none = -1, pipes[2], two[2] = { c->memfd, c->memfd };
	uint64_t p[4] = { 32 | (uint64_t)RW << 32, 0, 0x80000, 0x1000 };
	bool good = hello(c);

	if (pipe2(pipes, O_CLOEXEC))
		return false;
	good &= map(c, 0, 0x1000, 0x2000) == 0;
	good &= map(c, 0, 0x2000, 0x2000) == EEXIST && map(c, 0, 0, 0x2000) == EEXIST &&
		map(c, 0, 0x1000, 0x1000) == EEXIST && map(c, 0, 0, 0x10000) == EEXIST;
	good &= map_flags(c, RW, 0, 0x2000, 0x2000, none) == EEXIST;
	good &= map(c, 0, 0x10000, 0) == EINVAL && map(c, 0, 0x10000, 0x800) == EINVAL &&
		map(c, 0, 0x10800, 0x1000) == EINVAL && map(c, 0x800, 0x10000, 0x1000) == EINVAL;
	good &= map(c, MEM_SIZE, 0x10000, 0x1000) == EINVAL &&
		map(c, 0x1000, 0x10000, MEM_SIZE) == EINVAL &&
		map(c, ~0xfffull, 0x10000, 0x1000) == EINVAL &&
		map(c, 0, ~0xfffull, 0x2000) == EINVAL && map(c, 0, 0x10000, ~0x1ffffull) == EINVAL;
	good &= map_flags(c, 0, 0, 0x10000, 0x1000, c->memfd) == EINVAL &&
		map_flags(c, RW | 4, 0, 0x10000, 0x1000, c->memfd) == EINVAL;
	good &= map_flags(c, RW, 0, 0x10000, 0x1000, pipes[0]) == EINVAL;
	good &= ask_fds(c, DMA_MAP, p, sizeof(p), two, 2) == EINVAL &&
		ask(c, DMA_MAP, p, sizeof(p) - 1) == EINVAL;
	good &= unmap(c, 0, 0x1000, 0x1000) == ENOENT && unmap(c, 0, 0, 0) == ENOENT &&
		unmap(c, 1, 0x1000, 0x2000) == EINVAL && unmap(c, 2, 0x1000, 0x2000) == EINVAL;
	good &= ask(c, DMA_UNMAP, p, 16) == EINVAL;
	/* as many as there may be, and one more */
	for (uint64_t i = 1; i < 64; i++)
		good &= map(c, 0, 0x100000 * i, 0x1000) == 0;
	good &= map(c, 0, 0x100000 * 64, 0x1000) == ENOSPC;
	good &= unmap(c, 0, 0x100000, 0x1000) == 0 && map(c, 0, 0x100000 * 64, 0x1000) == 0;
	close(pipes[0]);
	close(pipes[1]);
	return good && unmap(c, 2, 0, 0) == 0 && map(c, 0, 0, MEM_SIZE) == 0;
}

/* Reaching memory needs a window for all of it, and both permissions */
static bool dma_reach(struct client *c)
{
	bool good = hello(c) && driver_on(c);

	good &= !map(c, 0, 0, 0x1000) && !map(c, 0x1000, 0x1000, 0x1000) &&
		!map_flags(c, VFIO_DMA_MAP_FLAG_READ, 0x2000, 0x2000, 0x1000, c->memfd) &&
		!map_flags(c, VFIO_DMA_MAP_FLAG_WRITE, 0x3000, 0x3000, 0x1000, c->memfd) &&
		!map_flags(c, RW, 0, 0x4000, 0x1000, -1);
	good &= write_posted(c, REG_POKE, 0xff8) && write_posted(c, REG_POKE, 0x1000);
	good &= read_from(c, 0, REG_FAILED, 8) == 0 && c->mem[0xff8 / 8] == ~0xff8ull &&
		c->mem[0x1000 / 8] == ~0x1000ull;
	good &= write_posted(c, REG_POKE, 0xffc) && write_posted(c, REG_POKE, 0x2000) &&
		write_posted(c, REG_POKE, 0x3000) && write_posted(c, REG_POKE, 0x4000) &&
		write_posted(c, REG_POKE, 0x5000) && write_posted(c, REG_POKE, ~7ull);
	good &= read_from(c, 0, REG_FAILED, 8) == 6 && !c->mem[0x2000 / 8] && !c->mem[0x3000 / 8];
	good &= !unmap(c, 0, 0x1000, 0x1000) && write_posted(c, REG_POKE, 0x1008) &&
		read_from(c, 0, REG_FAILED, 8) == 7 && !c->mem[0x1008 / 8];
	/* the same address, elsewhere in the file */
	return good && !map(c, 0x8000, 0x1000, 0x1000) && write_posted(c, REG_POKE, 0x1008) &&
	       read_from(c, 0, REG_FAILED, 8) == 7 && c->mem[0x8008 / 8] == ~0x1008ull;
}

/* Windows that begin and end inside of huge pages, as those of a guest's RAM do */
static bool huge_pages(struct client *c)
{
	bool good = hello(c) && driver_on(c);

	good &= !map(c, 0x1000, 0x1000, 0x2000) && !map(c, c->page - 0x1000, 0x10000, 0x2000) &&
		!map(c, c->page, 0x20000, 0x1000) && map(c, c->mem_size, 0x30000, 0x1000) == EINVAL;
	good &= write_posted(c, REG_POKE, 0x1008) && write_posted(c, REG_POKE, 0x10ff8) &&
		write_posted(c, REG_POKE, 0x11000) && write_posted(c, REG_POKE, 0x20008);
	good &= read_from(c, 0, REG_FAILED, 8) == 0 && c->mem[0x1008 / 8] == ~0x1008ull &&
		c->mem[c->page / 8 - 1] == ~0x10ff8ull && c->mem[c->page / 8] == ~0x11000ull &&
		c->mem[c->page / 8 + 1] == ~0x20008ull;
	good &= !unmap(c, 0, 0x1000, 0x2000) && write_posted(c, REG_POKE, 0x1010) &&
		write_posted(c, REG_POKE, 0x11010) && read_from(c, 0, REG_FAILED, 8) == 1;
	return good && !c->mem[0x1010 / 8] && c->mem[c->page / 8 + 2] == ~0x11010ull;
}

static bool info_refused(struct client *c)
{
	struct vfio_region_info region = { .argsz = sizeof(region), .index = 9 };
	struct vfio_irq_info irq = { .argsz = sizeof(irq), .index = 5 };
	uint32_t info[4] = { 15 };
	bool good = hello(c);

	good &= ask(c, REGION_INFO, &region, sizeof(region)) == EINVAL;
	region.index = ~0u;
	good &= ask(c, REGION_INFO, &region, sizeof(region)) == EINVAL;
	region = (struct vfio_region_info){ .argsz = sizeof(region) - 1 };
	good &= ask(c, REGION_INFO, &region, sizeof(region)) == EINVAL;
	good &= ask(c, REGION_INFO, &region, sizeof(region) - 1) == EINVAL;
	good &= ask(c, IRQ_INFO, &irq, sizeof(irq)) == EINVAL;
	irq = (struct vfio_irq_info){ .argsz = 0 };
	good &= ask(c, IRQ_INFO, &irq, sizeof(irq)) == EINVAL;
	good &= ask(c, IRQ_INFO, &irq, 0) == EINVAL;
	good &= ask(c, GET_INFO, info, sizeof(info)) == EINVAL && ask(c, GET_INFO, info, 12) == EINVAL;
	good &= ask(c, REGION_IO_FDS, info, sizeof(info)) == ENOTSUP && ask(c, 0, NULL, 0) == ENOTSUP &&
		ask(c, 99, NULL, 0) == ENOTSUP && ask(c, 0xffff, NULL, 0) == ENOTSUP;
	/* nobody waits for the answer of these, and it does not come */
	return good && post(c, 99, NO_REPLY, NULL, 0, NULL, 0) &&
	       post(c, RESET, NO_REPLY, NULL, 0, NULL, 0) && region_info_size(c, 0) == 0x10000;
}

static bool accesses(struct client *c)
{
	uint8_t bytes[16] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct access a = { REG_KEEP, 0, 8 };
	uint8_t p[sizeof(a) + 16];
	bool good = hello(c);

	/* nothing answers before the driver has switched the memory space on */
	good &= read_from(c, 0, REG_RESETS, 4) == 0xffffffff && driver_on(c) &&
		read_from(c, 0, REG_RESETS, 4) == 0;
	good &= write_to(c, 0, REG_KEEP, 0x1122334455667788, 8) == 0 &&
		read_from(c, 0, REG_KEEP, 8) == 0x1122334455667788;
	/* a longer one is split where it is aligned */
	good &= send_write(c, 0, 0, REG_KEEP - 8, bytes, 16) && answer(c, REGION_WRITE) == 0 &&
		read_from(c, 0, REG_KEEP, 8) == 0;
	good &= read_len(c, 0, REG_KEEP - 4, 16) == 0 && c->reply_len == 32;
	good &= read_len(c, 2, 0, 4096) == 0 && c->reply_len == 16 + 4096;
	good &= read_len(c, 0, 0, 0) == 0 && c->reply_len == 16 && write_to(c, 0, 0, 0, 0) == 0;
	good &= read_len(c, 0, 0xfff9, 8) == EINVAL && read_len(c, 0, 0x10000, 1) == EINVAL &&
		read_len(c, 0, ~0ull, 8) == EINVAL && read_len(c, 1, 0, 1) == EINVAL &&
		read_len(c, 6, 0, 1) == EINVAL && read_len(c, 8, 0, 1) == EINVAL &&
		read_len(c, 9, 0, 1) == EINVAL && read_len(c, ~0u, 0, 1) == EINVAL &&
		read_len(c, CONFIG, 4096, 1) == EINVAL && read_len(c, CONFIG, 0, 4097) == EINVAL &&
		read_len(c, 2, 0, 65537) == EINVAL && read_len(c, 0, 0, ~0u) == EINVAL;
	good &= write_to(c, 0, 0xfffd, 0, 4) == EINVAL && write_to(c, 3, 0, 0, 4) == EINVAL;
	/* more or less data than the count says */
	memcpy(p, &a, sizeof(a));
	memcpy(p + sizeof(a), bytes, 16);
	good &= ask(c, REGION_WRITE, p, sizeof(a) + 7) == EINVAL &&
		ask(c, REGION_WRITE, p, sizeof(a) + 9) == EINVAL &&
		ask(c, REGION_WRITE, p, sizeof(a)) == EINVAL &&
		ask(c, REGION_WRITE, p, sizeof(a) - 1) == EINVAL &&
		ask(c, REGION_READ, p, sizeof(a) - 1) == EINVAL;
	good &= read_from(c, 0, REG_KEEP, 8) == 0;
	return good && read_from(c, CONFIG, PCI_VENDOR_ID, 4) == 0x175114e4;
}

struct write_one {
	struct access a;
	uint64_t data;
};

static int write_multi(struct client *c, uint64_t count, const struct write_one *w, unsigned int n)
{
	uint8_t p[8 + 4 * sizeof(*w)];

	memcpy(p, &count, 8);
	memcpy(p + 8, w, n * sizeof(*w));
	return ask(c, WRITE_MULTI, p, 8 + n * sizeof(*w));
}

static bool many_writes(struct client *c)
{
	struct write_one w[3] = {
		{ { REG_KEEP, 0, 8 }, 5 }, { { REG_POKE, 0, 8 }, 0x100 }, { { REG_IRQ, 0, 4 }, 3 },
	};
	bool good = set_up(c);
	uint64_t done;

	good &= !write_multi(c, 3, w, 3) && c->reply_len == 8;
	memcpy(&done, c->reply, 8);
	good &= done == 3 && c->mem[0x100 / 8] == ~0x100ull && signals(c->irq[3]) == 1 &&
		read_from(c, 0, REG_KEEP, 8) == 5;
	good &= write_multi(c, 0, w, 0) == 0;
	good &= write_multi(c, 2, w, 3) == EINVAL && write_multi(c, 4, w, 3) == EINVAL &&
		write_multi(c, ~0ull, w, 3) == EINVAL &&
		write_multi(c, 0x0aaaaaaaaaaaaaabull, w, 1) == EINVAL &&
		ask(c, WRITE_MULTI, "\0\0\0\0", 4) == EINVAL;
	/* a bad one among them: none is done */
	w[0].data = 6;
	w[2].a.count = 9;
	good &= write_multi(c, 3, w, 3) == EINVAL;
	w[2].a = (struct access){ 0, 1, 4 };
	return good && write_multi(c, 3, w, 3) == EINVAL && read_from(c, 0, REG_KEEP, 8) == 5;
}

static bool irqs_refused(struct client *c)
{
	const uint8_t bools[VECTORS] = { 1, 1, 1, 1 };
	int bad = 0;
	bool good = hello(c);

	/* neither, both, or none of a kind */
	bad += irqs(c, TRIGGER, MSIX, 0, 1, NULL, 0) != EINVAL;
	bad += irqs(c, NONE, MSIX, 0, 1, NULL, 0) != EINVAL;
	bad += irqs(c, NONE | BOOL | TRIGGER, MSIX, 0, 1, NULL, 0) != EINVAL;
	bad += irqs(c, NONE | MASK | TRIGGER, MSIX, 0, 1, NULL, 0) != EINVAL;
	bad += irqs(c, NONE | TRIGGER | 64, MSIX, 0, 1, NULL, 0) != EINVAL;
	/* out of range */
	bad += irqs(c, NONE | TRIGGER, 5, 0, 0, NULL, 0) != EINVAL;
	bad += irqs(c, NONE | TRIGGER, ~0u, 0, 1, NULL, 0) != EINVAL;
	bad += irqs(c, NONE | TRIGGER, MSIX, VECTORS, 1, NULL, 0) != EINVAL;
	bad += irqs(c, NONE | TRIGGER, MSIX, 1, VECTORS, NULL, 0) != EINVAL;
	bad += irqs(c, NONE | TRIGGER, MSIX, ~0u, 2, NULL, 0) != EINVAL;
	bad += irqs(c, NONE | TRIGGER, MSIX, 1, ~0u, NULL, 0) != EINVAL;
	bad += irqs(c, NONE | TRIGGER, INTX, 0, 2, NULL, 0) != EINVAL;
	bad += irqs(c, NONE | TRIGGER, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, NULL, 0) != EINVAL;
	bad += irqs(c, NONE | TRIGGER, MSIX, 1, 0, NULL, 0) != EINVAL;
	bad += irqs(c, NONE | MASK, MSIX, 0, 0, NULL, 0) != EINVAL;
	bad += irqs(c, EVENTFD | TRIGGER, MSIX, 0, 0, c->irq, 1) != EINVAL;
	/* fewer or more than the count says */
	bad += irqs_with(c, BOOL | TRIGGER, MSIX, 0, 4, bools, 3, NULL, 0) != EINVAL;
	bad += irqs(c, EVENTFD | TRIGGER, MSIX, 0, 3, c->irq, 2) != EINVAL;
	bad += irqs(c, EVENTFD | TRIGGER, MSIX, 0, 2, c->irq, 3) != EINVAL;
	bad += irqs(c, EVENTFD | TRIGGER, MSIX, 0, 18, c->irq, 18) != EINVAL;
	bad += ask(c, SET_IRQS, bools, 19) != EINVAL;
	/* an index without interrupts can be switched off */
	bad += irqs(c, NONE | TRIGGER, VFIO_PCI_ERR_IRQ_INDEX, 0, 0, NULL, 0) != 0;
	bad += irqs(c, NONE | TRIGGER, VFIO_PCI_MSI_IRQ_INDEX, 0, 0, NULL, 0) != 0;
	if (bad)
		tap_diag("%d were taken", bad);
	return good && !bad;
}

static bool raise(struct client *c, unsigned int v)
{
	/* the answer to the read comes after the interrupt */
	return write_posted(c, REG_IRQ, v) && read_from(c, 0, REG_FAILED, 8) == 0;
}

static bool vectors(struct client *c)
{
	const uint8_t bools[4] = { 0, 1, 0, 1 };
	int other = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), told = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	bool good = set_up(c);

	for (unsigned int v = 0; v < VECTORS; v++)
		good &= raise(c, v) && signals(c->irq[v]) == 1;
	for (unsigned int v = 0; v < VECTORS; v++)
		good &= !signals(c->irq[v]);
	good &= raise(c, VECTORS) && raise(c, ~0u);

	/* the client triggers */
	good &= !irqs(c, NONE | TRIGGER, MSIX, 1, 2, NULL, 0) && !signals(c->irq[0]) &&
		signals(c->irq[1]) == 1 && signals(c->irq[2]) == 1 && !signals(c->irq[3]);
	good &= !irqs_with(c, BOOL | TRIGGER, MSIX, 4, 4, bools, 4, NULL, 0) && !signals(c->irq[4]) &&
		signals(c->irq[5]) == 1 && !signals(c->irq[6]) && signals(c->irq[7]) == 1;

	/* masked: kept, and sent once when it is unmasked */
	good &= !irqs(c, EVENTFD | MASK, MSIX, 5, 1, &told, 1);
	good &= !irqs_with(c, BOOL | MASK, MSIX, 4, 4, bools, 4, NULL, 0) && signals(told) == 1;
	good &= raise(c, 5) && raise(c, 5) && !signals(c->irq[5]) && raise(c, 4) &&
		signals(c->irq[4]) == 1;
	good &= read_from(c, 4, 0x1000, 8) == 1 << 5;
	good &= !irqs(c, NONE | MASK, MSIX, 5, 1, NULL, 0) && !signals(told);
	good &= !irqs(c, NONE | UNMASK, MSIX, 5, 1, NULL, 0) && signals(c->irq[5]) == 1 &&
		read_from(c, 4, 0x1000, 8) == 0;

	/* without a descriptor: the same, until there is another */
	good &= !irqs(c, EVENTFD | TRIGGER, MSIX, 6, 1, NULL, 0) && raise(c, 6) && !signals(c->irq[6]);
	good &= !irqs(c, EVENTFD | TRIGGER, MSIX, 6, 1, &other, 1) && !signals(c->irq[6]) &&
		signals(other) == 1;

	/* the function's own bits */
	good &= !write_to(c, CONFIG, CFG_MSIX_FLAGS, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL, 2) &&
		raise(c, 9) && !signals(c->irq[9]) && driver_on(c) && signals(c->irq[9]) == 1;
	good &= !write_to(c, CONFIG, CFG_MSIX_FLAGS, 0, 2) && raise(c, 9) && driver_on(c) &&
		!signals(c->irq[9]);

	/* what the driver writes into a table here is of no interest */
	good &= !write_to(c, 4, 9 * 16 + 12, 1, 4) && raise(c, 9) && signals(c->irq[9]) == 1;

	/* all off */
	good &= !irqs(c, NONE | TRIGGER, MSIX, 0, 0, NULL, 0) && raise(c, 1) && !signals(c->irq[1]);
	close(other);
	close(told);
	return good;
}

static bool full_eventfd(struct client *c)
{
	int full = eventfd(0, EFD_CLOEXEC);
	uint64_t most = ~1ull;
	bool good;

	/* one that cannot be written to without waiting: the device does not */
	good = set_up(c) && !irqs(c, EVENTFD | TRIGGER, MSIX, 0, 1, &full, 1) &&
	       write(full, &most, 8) == 8 && raise(c, 0) && raise(c, 0) && raise(c, 1) &&
	       signals(c->irq[1]) == 1;
	close(full);
	return good;
}

static bool resets(struct client *c)
{
	bool good = set_up(c);

	good &= !write_to(c, CONFIG, PCI_BASE_ADDRESS_0, 0xfe000000, 4) && !ask(c, RESET, NULL, 0);
	good &= read_from(c, CONFIG, PCI_COMMAND, 2) == 0 &&
		(read_from(c, CONFIG, PCI_BASE_ADDRESS_0, 4) & ~0xfu) == 0 &&
		read_from(c, CONFIG, CFG_MSIX_FLAGS, 2) == VECTORS - 1;
	/* memory and descriptors are the client's business */
	good &= driver_on(c) && read_from(c, 0, REG_RESETS, 4) == 1 && raise(c, 7) &&
		signals(c->irq[7]) == 1 && write_posted(c, REG_POKE, 0x40) &&
		read_from(c, 0, REG_FAILED, 8) == 0;
	/* by the function itself */
	good &= !write_to(c, CONFIG, 0xac + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR, 2) && driver_on(c);
	return good && read_from(c, 0, REG_RESETS, 4) == 2 && raise(c, 7) && signals(c->irq[7]) == 1;
}

/* Every message in single bytes, with a descriptor on the first */
static bool in_pieces(struct client *c)
{
	struct {
		struct header h;
		uint32_t argsz, flags;
		uint64_t offset, iova, size;
	} m = { { 77, DMA_MAP, sizeof(m), 0, 0 }, 32, RW, 0, 0, MEM_SIZE };

	if (!hello(c))
		return false;
	for (unsigned int i = 0; i < sizeof(m); i++) {
		if (!send_raw(c, (uint8_t *)&m + i, 1, NULL, 0, &c->memfd, !i))
			return false;
		usleep(200);
	}
	c->id = 77;
	return !answer(c, DMA_MAP) && driver_on(c) && write_posted(c, REG_POKE, 8) &&
	       read_from(c, 0, REG_FAILED, 8) == 0 && c->mem[1] == ~8ull;
}

/* Sent without waiting for any answer, while the server may still be busy with the first */
static bool pipelined(struct client *c)
{
	uint64_t p[4] = { 32 | (uint64_t)RW << 32, 0, 0, 0x1000 };
	bool good = set_up(c);

	for (unsigned int i = 0; i < 2000; i++)
		good &= write_posted(c, REG_KEEP, i);
	good &= read_from(c, 0, REG_KEEP, 8) == 1999;
	/* descriptors among messages without: each belongs to its own */
	for (unsigned int i = 0; i < 20; i++) {
		p[1] = 0x1000 * (i % 8);
		p[2] = 0x100000 + 0x1000 * i;
		good &= write_posted(c, REG_KEEP, i) &&
			post(c, DMA_MAP, NO_REPLY, p, sizeof(p), &c->memfd, 1) &&
			write_posted(c, REG_POKE, p[2] + 8 * i);
	}
	good &= read_from(c, 0, REG_FAILED, 8) == 0;
	for (unsigned int i = 0; i < 20; i++)
		good &= c->mem[0x200 * (i % 8) + i] == ~(uint64_t)(0x100000 + 0x1000 * i + 8 * i);
	return good;
}

/*
 * The server gets two messages at once, and descriptors with them: they belong to the
 * second. The first takes some, too: without any it takes an interrupt's away.
 */
static bool whose_fds(struct client *c)
{
	struct vfio_irq_set set = { sizeof(set), EVENTFD | TRIGGER, MSIX, 2, 1 };
	uint64_t p[4] = { 32 | (uint64_t)RW << 32, 0, 0x100000, 0x1000 };

	return set_up(c) && write_posted(c, REG_STALL, 50000) &&
	       post(c, SET_IRQS, NO_REPLY, &set, sizeof(set), NULL, 0) &&
	       post(c, DMA_MAP, NO_REPLY, p, sizeof(p), &c->memfd, 1) &&
	       write_posted(c, REG_POKE, 0x100010) && raise(c, 2) && !signals(c->irq[2]) &&
	       c->mem[2] == ~0x100010ull;
}

/* Many in one piece: they are served in bursts, and the rest is not forgotten */
static bool in_one_piece(struct client *c)
{
	struct {
		struct header h;
		struct access a;
		uint64_t v;
	} m[300];
	bool good = set_up(c);

	for (unsigned int i = 0; i < 300; i++) {
		m[i].h = (struct header){ i, REGION_WRITE, sizeof(m[i]), NO_REPLY, 0 };
		m[i].a = (struct access){ REG_KEEP, 0, 8 };
		m[i].v = i;
	}
	m[299].h.flags = 0;
	c->id = 299;
	return good && send_raw(c, m, sizeof(m), NULL, 0, NULL, 0) && !answer(c, REGION_WRITE) &&
	       read_from(c, 0, REG_KEEP, 8) == 299;
}

static bool too_many_fds(struct client *c)
{
	int fds[MAX_FDS];
	bool good = hello(c);

	for (unsigned int i = 0; i < MAX_FDS; i++)
		fds[i] = c->memfd;
	/* where none are expected they are closed */
	good &= ask_fds(c, RESET, NULL, 0, fds, MAX_FDS) == 0 && region_info_size(c, 0) == 0x10000;
	return good && irqs(c, EVENTFD | TRIGGER, MSIX, 0, 16, fds, MAX_FDS) == 0 &&
	       irqs(c, EVENTFD | TRIGGER, MSIX, 0, 17, fds, MAX_FDS) == EINVAL;
}

/* The file is shorter than it was when it was mapped, and then the device writes there */
static bool at_end(struct client *c)
{
	char byte;

	return recv(c->sock, &byte, 1, 0) <= 0;
}

static bool huge_page_is_cut(struct client *c)
{
	return hello(c) && driver_on(c) && !map(c, 0x1000, 0x1000, c->page) &&
	       !ftruncate(c->memfd, c->page) && write_posted(c, REG_POKE, 0x2000) &&
	       write_posted(c, REG_POKE, c->page + 0x10) && at_end(c);
}

static bool memory_is_cut(struct client *c)
{
	return set_up(c) && !ftruncate(c->memfd, 0) && write_posted(c, REG_POKE, 0x8000) && at_end(c);
}

/* These end the connection */

static bool no_version(struct client *c)
{
	return post(c, GET_INFO, 0, "\20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, NULL, 0) && at_end(c);
}

static bool other_version(struct client *c)
{
	return version_is(c, 1, 0, "{}", 3) < 0;
}

static bool open_version(struct client *c)
{
	return version_is(c, 0, 0, "{}", 2) < 0;
}

static bool short_version(struct client *c)
{
	return ask(c, VERSION, "\0\0", 2) < 0;
}

static bool too_long(struct client *c)
{
	struct header h = { 1, REGION_WRITE, 0xfffffff0, 0, 0 };

	return hello(c) && send_raw(c, &h, sizeof(h), NULL, 0, NULL, 0) && at_end(c);
}

static bool too_short(struct client *c)
{
	struct header h = { 1, REGION_WRITE, sizeof(h) - 1, 0, 0 };

	return hello(c) && send_raw(c, &h, sizeof(h), NULL, 0, &c->memfd, 1) && at_end(c);
}

static bool a_reply(struct client *c)
{
	return hello(c) && post(c, RESET, REPLY, NULL, 0, &c->memfd, 1) && at_end(c);
}

static bool half_message(struct client *c)
{
	return hello(c) && send_raw(c, "\1\0\2\0\60", 5, NULL, 0, &c->memfd, 1);
}

/* Asks for more than the socket holds, and reads nothing of it */
static bool deaf(struct client *c)
{
	struct access a = { 0, 2, 65536 };
	bool good = set_up(c);

	for (unsigned int i = 0; i < 100 && post(c, REGION_READ, 0, &a, sizeof(a), NULL, 0); i++)
		;
	return good;
}

static bool connect_to(struct client *c)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	strcpy(sa.sun_path, c->path);
	c->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return !connect(c->sock, (struct sockaddr *)&sa, sizeof(sa));
}

/* The first leaves in order, the second breaks the protocol, the third finds nothing of either */
static bool another(struct client *c)
{
	struct client second = *c;
	bool good = set_up(c) && !write_to(c, 0, REG_KEEP, 9, 8);

	/* it has to wait until the first has gone */
	good &= connect_to(&second);
	close(c->sock);
	good &= a_reply(&second);
	close(second.sock);
	good &= connect_to(c) && hello(c) && read_from(c, CONFIG, PCI_COMMAND, 2) == 0 && driver_on(c);
	good &= write_posted(c, REG_POKE, 0x40) && read_from(c, 0, REG_FAILED, 8) == 1;
	good &= write_posted(c, REG_IRQ, 3) && read_from(c, 0, REG_RESETS, 4) == 2 &&
		!signals(c->irq[3]);
	return good;
}

static void *client_thread(void *arg)
{
	struct client *c = arg;

	if (connect_to(c))
		c->good = c->act(c);
	close(c->sock);
	return NULL;
}

struct scenario {
	const char *name;
	bool (*act)(struct client *c);
	const char *reason;	/* part of what the device is told in the end */
	unsigned int clients;	/* served one after another; 0: one only */
	bool cut;		/* its memory is */
	bool huge;		/* of huge pages, two of them */
};

static const struct scenario scenarios[] = {
	{ "a client that does what QEMU does", like_qemu, "" },
	{ "capabilities that the client has not are not told", capabilities, "" },
	{ "a client without capabilities", no_capabilities, "" },
	{ "DMA windows that are possible, and others", dma_windows, "" },
	{ "the device reaches what it is allowed to, and no more", dma_reach, "" },
	{ "questions with impossible values", info_refused, "" },
	{ "accesses of all sizes, inside and outside", accesses, "" },
	{ "many writes in one message", many_writes, "" },
	{ "interrupt set-up that makes no sense", irqs_refused, "" },
	{ "vectors: raised, triggered, masked, taken away", vectors, "" },
	{ "an eventfd that is full", full_eventfd, "" },
	{ "resets of both kinds", resets, "" },
	{ "a message in single bytes", in_pieces, "" },
	{ "messages on the heels of each other", pipelined, "" },
	{ "messages in one piece", in_one_piece, "" },
	{ "two messages at once, the second with descriptors", whose_fds, "" },
	{ "more descriptors than are taken", too_many_fds, "" },
	{ "one client after another", another, "", 3 },
	{ "memory that is cut off", memory_is_cut, "shorter", 0, true },
	{ "memory of huge pages", huge_pages, "", 0, false, true },
	{ "a huge page that is cut off", huge_page_is_cut, "shorter", 0, true, true },
	{ "a client that does not begin with its version", no_version, "begin" },
	{ "a version that is not known", other_version, "version" },
	{ "capabilities without an end", open_version, "version" },
	{ "a version that is too short", short_version, "version" },
	{ "a message that is too long", too_long, "4294967280" },
	{ "a message that is too short", too_short, "15" },
	{ "a reply to nothing", a_reply, "reply" },
	{ "a message that breaks off", half_message, "inside" },
	{ "a client that does not read", deaf, "replies" },
};

#define NR_HUGEPAGES	"/proc/sys/vm/nr_hugepages"

/* Adds to the machine's huge pages; false if that is not allowed */
static bool add_huge_pages(int more)
{
	FILE *f = fopen(NR_HUGEPAGES, "r+e");
	long n;
	bool good;

	if (!f)
		return false;
	good = fscanf(f, "%ld", &n) == 1;
	rewind(f);
	good = good && fprintf(f, "%ld\n", n + more) > 0;
	return !fclose(f) && good;
}

static bool try_memory(struct client *c, bool huge)
{
	struct stat st;

	c->memfd = memfd_create("guest", MFD_CLOEXEC | (huge ? MFD_HUGETLB : 0));
	if (c->memfd < 0)
		return false;
	if (!fstat(c->memfd, &st)) {
		c->page = st.st_blksize;
		c->mem_size = huge ? 2 * c->page : MEM_SIZE;
		c->mem = MAP_FAILED;
		if (!ftruncate(c->memfd, c->mem_size))
			c->mem = mmap(NULL, c->mem_size, PROT_READ | PROT_WRITE, MAP_SHARED,
				      c->memfd, 0);
		if (c->mem != MAP_FAILED)
			return true;
	}
	close(c->memfd);
	return false;
}

/* Memory of a guest, if need be of huge pages that the machine has for this long only */
static bool make_memory(struct client *c, bool huge)
{
	bool good = try_memory(c, huge);

	if (good || !huge || !add_huge_pages(2))
		return good;
	good = try_memory(c, huge);
	/* those that are in use go when they are not any more */
	return add_huge_pages(-2) && good;
}

static void run(const struct scenario *sc)
{
	struct client c = { .act = sc->act };
	struct server s = { .ends_wanted = sc->clients ? sc->clients : 1 };
	struct pci_identity id = { .vectors = VECTORS, .serial = 1 };
	unsigned int fds = open_fds();
	pthread_t thread;

	snprintf(c.path, sizeof(c.path), "/tmp/test-vfio-user.%d", getpid());
	if (!make_memory(&c, sc->huge)) {
		if (!sc->huge)
			tap_bail("no memory for the guest");
		tap_skip(sc->name, "no huge pages can be had (vm.nr_hugepages)");
		return;
	}
	for (unsigned int i = 0; i < VECTORS; i++)
		c.irq[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	s.loop = loop_new(&hooks, &s, 0);
	s.pci = pci_new(&id, &pci_ops, &s);
	s.t = vfio_user_new(s.loop, c.path, sc->clients, s.pci, &ops, &s);
	if (!s.t)
		tap_bail("cannot listen at %s", c.path);
	pthread_create(&thread, NULL, client_thread, &c);
	alarm(20);
	loop_run(s.loop);
	alarm(0);
	pthread_join(thread, NULL);

	tap_ok(c.good, "%s", sc->name);
	tap_ok(s.ends == s.ends_wanted &&
		       (*sc->reason ? strstr(s.reason, sc->reason) != NULL : !*s.reason),
	       "the device hears how it ended: %s", *s.reason ? s.reason : "in order");
	tap_ok(s.rounds < 8000, "the loop sleeps while nothing happens: %u rounds", s.rounds);
	tap_ok(s.detached == s.ends && !s.map.n, "DMA is stopped and the memory is gone");
	munmap(c.mem, c.mem_size);
	tap_ok(!guest_mapped(), "no mapping of the guest's memory is left");

	s.t->class->free(s.t);
	tap_ok(access(c.path, F_OK), "the socket's name is gone");
	pci_free(s.pci);
	loop_free(s.loop);
	for (unsigned int i = 0; i < VECTORS; i++)
		close(c.irq[i]);
	close(c.memfd);
	tap_eq(open_fds(), fds, "no descriptor is left");
	tap_ok(!sigbus_hit(), "no memory was missing, or it was noticed");
}

int main(void)
{
	if (!sigbus_init())
		tap_bail("no handler for SIGBUS");
	for (unsigned int i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		run(&scenarios[i]);
	return tap_done();
}
