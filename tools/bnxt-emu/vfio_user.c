// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-user server: a PCI function for QEMU's vfio-user-pci (10.1 and later), and
 * for whoever else speaks the protocol of QEMU's docs/interop/vfio-user.rst.
 *
 * A message is a header of 16 bytes and its payload, all of it in the byte order of
 * the host. Messages are served in their order, so a write that wants no reply is
 * done before what is read after it. Memory comes as descriptors (vfio_dma.c), and
 * so do interrupts (vfio_irq.c); nothing is asked of the client.
 *
 * The order of a QEMU 11: VERSION, DMA_MAP for each piece of memory,
 * DEVICE_GET_INFO, GET_REGION_INFO for BARs and configuration space, GET_IRQ_INFO for
 * errors, all of the configuration space by REGION_READ, GET_IRQ_INFO for MSI-X,
 * SET_IRQS for the pin, DEVICE_RESET, and then what the guest does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/vfio.h>

#include "hide.h"
#include "sigbus.h"
#include "unix_socket.h"
#include "vfio_dma.h"
#include "vfio_irq.h"
#include "vfio_user.h"

#define VFU_MAJOR	0u
#define VFU_MINOR	0u

#define VFU_TYPE_MASK	0xfu
#define VFU_REPLY	0x1u
#define VFU_NO_REPLY	0x10u
#define VFU_ERROR	0x20u

/* What the client is told that it may do; QEMU reads all of configuration space at once */
#define VFU_MAX_XFER	65536u
#define VFU_MAX_FDS	16

/* Messages served before the loop looks at the wire again */
#define VFU_BURST	64

/* Bytes read at once: some hundred doorbells */
#define VFU_READ	16384u

/* Bytes behind a message that are hidden while it is served */
#define VFU_HIDDEN	256u

enum vfu_command {
	VFU_VERSION = 1,
	VFU_DMA_MAP = 2,
	VFU_DMA_UNMAP = 3,
	VFU_DEVICE_GET_INFO = 4,
	VFU_DEVICE_GET_REGION_INFO = 5,
	VFU_DEVICE_GET_IRQ_INFO = 7,
	VFU_DEVICE_SET_IRQS = 8,
	VFU_REGION_READ = 9,
	VFU_REGION_WRITE = 10,
	VFU_DEVICE_RESET = 13,
	VFU_REGION_WRITE_MULTI = 15,
};

struct vfu_header {
	uint16_t id;
	uint16_t command;
	uint32_t size;		/* with the header */
	uint32_t flags;
	uint32_t error;
};

struct vfu_version {
	uint16_t major;
	uint16_t minor;
};

struct vfu_dma_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t offset;
	uint64_t iova;
	uint64_t size;
};

struct vfu_dma_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t iova;
	uint64_t size;
};

/* The kernel's has grown since */
struct vfu_device_info {
	uint32_t argsz;
	uint32_t flags;
	uint32_t num_regions;
	uint32_t num_irqs;
};

struct vfu_access {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
};

struct vfu_write_one {
	struct vfu_access at;
	uint8_t data[8];
};

_Static_assert(sizeof(struct vfu_header) == 16, "header layout");
_Static_assert(sizeof(struct vfu_dma_map) == 32, "DMA_MAP layout");
_Static_assert(sizeof(struct vfio_region_info) == 32, "GET_REGION_INFO layout");
_Static_assert(sizeof(struct vfio_irq_info) == 16, "GET_IRQ_INFO layout");
_Static_assert(sizeof(struct vfio_irq_set) == 20, "SET_IRQS layout");
_Static_assert(sizeof(struct vfu_write_one) == 24, "WRITE_MULTI layout");

#define VFU_MAX_MSG	(sizeof(struct vfu_header) + sizeof(struct vfu_access) + VFU_MAX_XFER)

struct vfio_user {
	struct transport base;
	struct loop *loop;
	const struct transport_ops *ops;
	void *host;
	struct pci *pci;

	int listen_fd;
	int sock;
	bool again;		/* listen for another client when one has gone */
	bool versioned;		/* the client has sent VERSION */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];

	struct vfio_dma dma;
	struct vfio_irqs irqs;

	/* bytes [start, end) were received and not served yet */
	size_t start, end;
	int fds[VFU_MAX_FDS];	/* came with the message that ends at @end, or will */
	unsigned int nfds;
	char reason[96];	/* why the connection ended, where that takes numbers */

	uint8_t in[VFU_MAX_MSG + VFU_READ + VFU_HIDDEN];
	uint8_t out[VFU_MAX_MSG];	/* reply: header, payload */
};

/* A message being served */
struct vfu_request {
	const uint8_t *data;	/* payload, of no particular alignment */
	uint32_t len;
	int *fds;
	unsigned int nfds;
	uint8_t *reply;		/* room for the payload of the reply: VFU_MAX_XFER and more */
	uint32_t reply_len;	/* bytes of it, 0 until set */
};

static struct vfio_user *to_vfu(struct transport *t)
{
	return (struct vfio_user *)t;
}

static void set_reply(struct vfu_request *rq, const void *payload, uint32_t len)
{
	memcpy(rq->reply, payload, len);
	rq->reply_len = len;
}

/*
 * Commands. Each returns 0, or the error number of the reply.
 */

/*
 * What we tell of ourselves: of each only what the client told, too. No JSON parser
 * is needed to see what it knows: names that nobody uses for anything else.
 */
static const struct {
	const char *name;
	const char *value;
} capabilities[] = {
	{ "max_msg_fds", "16" },
	{ "max_data_xfer_size", "65536" },
	{ "max_dma_maps", "64" },
	{ "pgsizes", "4096" },
	{ "write_multiple", "true" },
};

_Static_assert(VFU_MAX_FDS == 16 && VFU_MAX_XFER == 65536 && VFIO_DMA_MAX == 64 &&
		       VFIO_DMA_PAGE == 4096,
	       "capabilities are what they say");

static int get_version(struct vfio_user *vu, struct vfu_request *rq)
{
	struct vfu_version v;
	const char *json = (const char *)rq->data + sizeof(v), *comma = "";
	uint32_t len = rq->len - sizeof(v);
	char *out = (char *)rq->reply + sizeof(v);
	int n;

	memcpy(&v, rq->data, sizeof(v));
	if (vu->versioned || v.major != VFU_MAJOR || (len && json[len - 1]))
		return EINVAL;
	vu->versioned = true;
	v.minor = VFU_MINOR;
	memcpy(rq->reply, &v, sizeof(v));
	n = sprintf(out, "{\"capabilities\":{");
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
		if (!len || !strstr(json, capabilities[i].name))
			continue;
		n += sprintf(out + n, "%s\"%s\":%s", comma, capabilities[i].name,
			     capabilities[i].value);
		comma = ",";
	}
	n += sprintf(out + n, "}}");
	rq->reply_len = sizeof(v) + n + 1;
	return 0;
}

static int dma_map(struct vfio_user *vu, struct vfu_request *rq)
{
	struct vfu_dma_map m;

	memcpy(&m, rq->data, sizeof(m));
	if (rq->nfds > 1)
		return EINVAL;
	return vfio_dma_map(&vu->dma, m.flags, m.offset, m.iova, m.size,
			    rq->nfds ? rq->fds[0] : -1);
}

static int dma_unmap(struct vfio_user *vu, struct vfu_request *rq)
{
	struct vfu_dma_unmap m;
	int err;

	memcpy(&m, rq->data, sizeof(m));
	err = vfio_dma_unmap(&vu->dma, m.flags, m.iova, m.size);
	set_reply(rq, &m, sizeof(m));
	return err;
}

static int device_info(struct vfio_user *vu, struct vfu_request *rq)
{
	struct vfu_device_info info;

	(void)vu;
	memcpy(&info, rq->data, sizeof(info));
	if (info.argsz < sizeof(info))
		return EINVAL;
	info = (struct vfu_device_info){
		.argsz = sizeof(info),
		.flags = VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI,
		.num_regions = VFIO_PCI_NUM_REGIONS,
		.num_irqs = VFIO_PCI_NUM_IRQS,
	};
	set_reply(rq, &info, sizeof(info));
	return 0;
}

/* Bytes of a region, 0 when the function has it not */
static uint64_t region_size(unsigned int region)
{
	if (region <= VFIO_PCI_BAR5_REGION_INDEX)
		return pci_bar_size(region);
	return region == VFIO_PCI_CONFIG_REGION_INDEX ? PCI_CFG_SIZE : 0;
}

static int region_info(struct vfio_user *vu, struct vfu_request *rq)
{
	struct vfio_region_info info;
	uint32_t index;

	(void)vu;
	memcpy(&info, rq->data, sizeof(info));
	index = info.index;
	if (info.argsz < sizeof(info) || index >= VFIO_PCI_NUM_REGIONS)
		return EINVAL;
	info = (struct vfio_region_info){
		.argsz = sizeof(info),
		.index = index,
		.size = region_size(index),
	};
	/* nothing of it can be mapped: a doorbell is a message, which nothing else would notice */
	if (info.size)
		info.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	set_reply(rq, &info, sizeof(info));
	return 0;
}

static int irq_info(struct vfio_user *vu, struct vfu_request *rq)
{
	struct vfio_irq_info info;

	memcpy(&info, rq->data, sizeof(info));
	if (info.argsz < sizeof(info) || info.index >= VFIO_PCI_NUM_IRQS)
		return EINVAL;
	info.argsz = sizeof(info);
	info.flags = vfio_irqs_info(&vu->irqs, info.index, &info.count);
	set_reply(rq, &info, sizeof(info));
	return 0;
}

static int set_irqs(struct vfio_user *vu, struct vfu_request *rq)
{
	struct vfio_irq_set set;

	memcpy(&set, rq->data, sizeof(set));
	return vfio_irqs_set(&vu->irqs, &set, rq->data + sizeof(set), rq->len - sizeof(set),
			     rq->fds, rq->nfds);
}

static bool valid_access(const struct vfu_access *a)
{
	uint64_t size = region_size(a->region);

	return a->count <= VFU_MAX_XFER && a->offset <= size && a->count <= size - a->offset;
}

static void write_region(struct vfio_user *vu, const struct vfu_access *a, const uint8_t *data)
{
	if (a->region == VFIO_PCI_CONFIG_REGION_INDEX)
		pci_cfg_copy_to(vu->pci, a->offset, data, a->count);
	else
		pci_bar_copy_to(vu->pci, a->region, a->offset, data, a->count);
}

static int region_read(struct vfio_user *vu, struct vfu_request *rq)
{
	uint8_t *data = rq->reply + sizeof(struct vfu_access);
	struct vfu_access a;

	memcpy(&a, rq->data, sizeof(a));
	if (!valid_access(&a))
		return EINVAL;
	if (a.region == VFIO_PCI_CONFIG_REGION_INDEX)
		pci_cfg_copy_from(vu->pci, a.offset, data, a.count);
	else
		pci_bar_copy_from(vu->pci, a.region, a.offset, data, a.count);
	set_reply(rq, &a, sizeof(a));
	rq->reply_len += a.count;
	return 0;
}

static int region_write(struct vfio_user *vu, struct vfu_request *rq)
{
	struct vfu_access a;

	memcpy(&a, rq->data, sizeof(a));
	if (!valid_access(&a) || rq->len - sizeof(a) != a.count)
		return EINVAL;
	write_region(vu, &a, rq->data + sizeof(a));
	set_reply(rq, &a, sizeof(a));
	return 0;
}

/* Writes that piled up while the client could not send; all are looked at before any is done */
static int region_write_multi(struct vfio_user *vu, struct vfu_request *rq)
{
	const uint8_t *from = rq->data + sizeof(uint64_t);
	struct vfu_write_one w;
	uint64_t count;

	memcpy(&count, rq->data, sizeof(count));
	if (count > rq->len / sizeof(w) || rq->len != sizeof(count) + count * sizeof(w))
		return EINVAL;
	for (uint64_t i = 0; i < count; i++) {
		memcpy(&w, from + i * sizeof(w), sizeof(w));
		if (!valid_access(&w.at) || w.at.count > sizeof(w.data))
			return EINVAL;
	}
	for (uint64_t i = 0; i < count; i++) {
		memcpy(&w, from + i * sizeof(w), sizeof(w));
		write_region(vu, &w.at, w.data);
	}
	set_reply(rq, &count, sizeof(count));
	return 0;
}

static int device_reset(struct vfio_user *vu, struct vfu_request *rq)
{
	(void)rq;
	pci_reset(vu->pci);
	return 0;
}

static const struct vfu_handler {
	int (*fn)(struct vfio_user *vu, struct vfu_request *rq);
	uint32_t size;		/* least bytes of payload */
} handlers[] = {
	[VFU_VERSION] = { get_version, sizeof(struct vfu_version) },
	[VFU_DMA_MAP] = { dma_map, sizeof(struct vfu_dma_map) },
	[VFU_DMA_UNMAP] = { dma_unmap, sizeof(struct vfu_dma_unmap) },
	[VFU_DEVICE_GET_INFO] = { device_info, sizeof(struct vfu_device_info) },
	[VFU_DEVICE_GET_REGION_INFO] = { region_info, sizeof(struct vfio_region_info) },
	[VFU_DEVICE_GET_IRQ_INFO] = { irq_info, sizeof(struct vfio_irq_info) },
	[VFU_DEVICE_SET_IRQS] = { set_irqs, sizeof(struct vfio_irq_set) },
	[VFU_REGION_READ] = { region_read, sizeof(struct vfu_access) },
	[VFU_REGION_WRITE] = { region_write, sizeof(struct vfu_access) },
	[VFU_DEVICE_RESET] = { device_reset, 0 },
	[VFU_REGION_WRITE_MULTI] = { region_write_multi, sizeof(uint64_t) },
};

/*
 * Connection
 */

static void drop_fds(struct vfio_user *vu)
{
	while (vu->nfds)
		fd_close(&vu->fds[--vu->nfds]);
}

static void stop_listening(struct vfio_user *vu)
{
	if (vu->listen_fd < 0)
		return;
	loop_del(vu->loop, vu->listen_fd);
	fd_close(&vu->listen_fd);
	unlink(vu->path);
}

/*
 * The protocol would have the device keep its state for the next client. Its rings
 * lie in memory that has gone, so it starts over instead, as it has to for a client
 * that starts over.
 */
static void disconnect(struct vfio_user *vu)
{
	if (vu->sock < 0)
		return;
	loop_del(vu->loop, vu->sock);
	fd_close(&vu->sock);
	drop_fds(vu);
	vu->start = vu->end = 0;
	vu->versioned = false;
	pci_reset(vu->pci);
	vu->ops->detached(vu->host);
	vfio_irqs_clear(&vu->irqs);
	vfio_dma_clear(&vu->dma);
}

static void end_connection(struct vfio_user *vu, const char *reason)
{
	disconnect(vu);
	if (vu->again)
		loop_pause(vu->loop, vu->listen_fd, false);
	vu->ops->closed(vu->host, reason);
}

static bool send_reply(struct vfio_user *vu, const struct vfu_header *rq, int err, uint32_t len)
{
	struct vfu_header hdr = {
		.id = rq->id,
		.command = rq->command,
		.size = sizeof(hdr) + (err ? 0 : len),
		.flags = VFU_REPLY | (err ? VFU_ERROR : 0),
		.error = err,
	};

	memcpy(vu->out, &hdr, sizeof(hdr));
	return send(vu->sock, vu->out, hdr.size, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)hdr.size;
}

/* Returns NULL, or what is wrong with the client */
static const char *serve(struct vfio_user *vu, const struct vfu_header *hdr,
			 struct vfu_request *rq)
{
	const struct vfu_handler *h = NULL;
	int err;

	if (hdr->flags & VFU_TYPE_MASK)
		return "vfio-user reply to nothing that was asked";
	if (hdr->command < sizeof(handlers) / sizeof(handlers[0]))
		h = &handlers[hdr->command];
	if (!vu->versioned && hdr->command != VFU_VERSION)
		return "vfio-user client that does not begin with its version";
	if (!h || !h->fn)
		err = ENOTSUP;
	else if (rq->len < h->size)
		err = EINVAL;
	else
		err = h->fn(vu, rq);
	if (err && !vu->versioned)
		return "vfio-user version that is not known";
	if (!(hdr->flags & VFU_NO_REPLY) && !send_reply(vu, hdr, err, rq->reply_len))
		return "vfio-user client that does not take its replies";
	return NULL;
}

/*
 * A message's descriptors come with its first byte, and the kernel ends what it
 * gives at once behind what has some. So those that are here belong to the last
 * message that has begun, of which no more is asked for than is missing.
 */
static size_t missing(const struct vfio_user *vu)
{
	struct vfu_header hdr;
	size_t got = vu->end - vu->start;

	if (got < sizeof(hdr))
		return sizeof(hdr) - got;
	memcpy(&hdr, vu->in + vu->start, sizeof(hdr));
	return hdr.size > got ? hdr.size - got : 0;
}

/* Whether a whole message is there; *reason when it cannot be one */
static bool next_message(struct vfio_user *vu, struct vfu_header *hdr, const char **reason)
{
	size_t got = vu->end - vu->start;

	if (got < sizeof(*hdr))
		return false;
	memcpy(hdr, vu->in + vu->start, sizeof(*hdr));
	if (hdr->size < sizeof(*hdr) || hdr->size > VFU_MAX_MSG) {
		snprintf(vu->reason, sizeof(vu->reason), "vfio-user message %u of %u bytes",
			 hdr->command, hdr->size);
		*reason = vu->reason;
		return false;
	}
	return got >= hdr->size;
}

/* Serves what was received, up to a burst; returns how many messages */
static unsigned int serve_some(struct vfio_user *vu)
{
	const char *reason = NULL;
	struct vfu_header hdr;
	unsigned int n;

	for (n = 0; n < VFU_BURST && next_message(vu, &hdr, &reason); n++) {
		struct vfu_request rq = {
			.data = vu->in + vu->start + sizeof(hdr),
			.len = hdr.size - sizeof(hdr),
			.reply = vu->out + sizeof(hdr),
		};

		vu->start += hdr.size;
		if (vu->start == vu->end) {
			rq.fds = vu->fds;
			rq.nfds = vu->nfds;
		}
		hide(vu->in + vu->start, VFU_HIDDEN);
		reason = serve(vu, &hdr, &rq);
		show(vu->in + vu->start, VFU_HIDDEN);
		if (vu->start == vu->end)
			drop_fds(vu);
		if (reason)
			break;
	}
	if (reason)
		end_connection(vu, reason);
	return n;
}

static void sock_readable(void *arg)
{
	struct vfio_user *vu = arg;
	struct vfu_header hdr;
	const char *reason = NULL;
	size_t want = VFU_READ;
	ssize_t n;

	/* those first: what comes now could have descriptors */
	if (next_message(vu, &hdr, &reason) || reason)
		return;
	if (vu->start) {
		memmove(vu->in, vu->in + vu->start, vu->end - vu->start);
		vu->end -= vu->start;
		vu->start = 0;
	}
	if (vu->nfds && missing(vu) < want)
		want = missing(vu);
	n = unix_recv(vu->sock, vu->in + vu->end, want, vu->fds, &vu->nfds, VFU_MAX_FDS);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end_connection(vu, vu->end ? "connection ended inside a vfio-user message" : NULL);
		return;
	}
	vu->end += n;
	serve_some(vu);
}

static void listen_readable(void *arg)
{
	struct vfio_user *vu = arg;
	int fd = accept4(vu->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	/* one device, one client: another has to wait */
	if (vu->again)
		loop_pause(vu->loop, vu->listen_fd, true);
	else
		stop_listening(vu);
	vu->sock = fd;
	if (!loop_add(vu->loop, fd, sock_readable, vu))
		end_connection(vu, "connection could not be watched");
}

/*
 * Transport
 */

static bool vfu_poll(struct transport *t)
{
	struct vfio_user *vu = to_vfu(t);
	unsigned int n = serve_some(vu);

	if (sigbus_hit())
		end_connection(vu, "the file that is its memory was made shorter");
	return n;
}

static void vfu_flush(struct transport *t)
{
	(void)t;
}

/* Returns whether messages wait that the socket does not tell of */
static bool vfu_sleep(struct transport *t, bool sleeping)
{
	struct vfu_header hdr;
	const char *reason = NULL;

	(void)sleeping;
	return next_message(to_vfu(t), &hdr, &reason) || reason;
}

/* The table is the client's, so there is never a message to send */
static bool vfu_msi(struct transport *t, uint64_t addr, uint32_t data)
{
	(void)t;
	(void)addr;
	(void)data;
	return true;
}

static bool vfu_vector(struct transport *t, unsigned int vector)
{
	return vfio_irqs_raise(&to_vfu(t)->irqs, vector);
}

static void vfu_free(struct transport *t)
{
	struct vfio_user *vu = to_vfu(t);

	stop_listening(vu);
	disconnect(vu);
	free(vu);
}

static const struct transport_class vfu_class = {
	.poll = vfu_poll,
	.flush = vfu_flush,
	.sleep = vfu_sleep,
	.msi = vfu_msi,
	.vector = vfu_vector,
	.free = vfu_free,
};

/**
 * vfio_user_new() - Offer a PCI function to a vfio-user client
 * @loop: event loop
 * @path: UNIX socket to listen at
 * @again: when a client has gone, wait for another
 * @pci: the function
 * @ops: what to tell the owner
 * @host: passed to @ops
 *
 * Return: the transport, NULL with errno set.
 */
struct transport *vfio_user_new(struct loop *loop, const char *path, bool again, struct pci *pci,
				const struct transport_ops *ops, void *host)
{
	struct vfio_user *vu = calloc(1, sizeof(*vu));

	if (!vu)
		return NULL;
	vu->base.class = &vfu_class;
	vu->loop = loop;
	vu->ops = ops;
	vu->host = host;
	vu->pci = pci;
	vu->again = again;
	vu->sock = -1;
	vu->dma.map = ops->dma(host);
	vfio_irqs_init(&vu->irqs, pci);
	pci_msix_outside(pci);
	vu->listen_fd = unix_listen(path, 1);
	if (vu->listen_fd < 0)
		goto free_vu;
	/* fits: unix_listen() made a longer name of it */
	strcpy(vu->path, path);
	if (!loop_add(loop, vu->listen_fd, listen_readable, vu))
		goto stop_listening;
	return &vu->base;

stop_listening:
	stop_listening(vu);
free_vu:
	free(vu);
	return NULL;
}
