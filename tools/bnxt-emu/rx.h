/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What placement (rx.c) and aggregation (tpa.c) of received frames share. */
#ifndef RX_H
#define RX_H

#include "core.h"

/* What is still to be done to a frame's headers before anybody may see them */
enum rx_head { RX_HEAD_READY, RX_HEAD_SEGMENT, RX_HEAD_CSUM };

/**
 * struct rx_frame - a frame in two pieces, on its way to a ring
 * @head: headers; those of the large frame with RX_HEAD_SEGMENT
 * @head_len: bytes of them
 * @body: the rest
 * @body_len: bytes of it
 * @p: parse of the frame as the wire gave it
 * @stripped: bytes by which offsets in *p are too large
 * @cast: whom it is for
 * @tcp_flags: byte 13 of the TCP header, as this frame has it
 * @flags2: of the completion
 * @errors: of the completion
 * @todo: see there; rx_make_head() does it
 * @gso: for RX_HEAD_SEGMENT
 * @seg: number of the segment
 * @hdr: for RX_HEAD_CSUM
 */
struct rx_frame {
	const uint8_t *head;
	uint32_t head_len;
	const uint8_t *body;
	uint32_t body_len;
	const struct parsed *p;
	uint32_t stripped;
	enum cast cast;
	uint8_t tcp_flags;
	uint32_t flags2;
	uint32_t errors;
	enum rx_head todo;
	const struct gso *gso;
	uint32_t seg;
	const struct virtio_net_hdr_v1 *hdr;
};

/**
 * struct rx_buffer - a buffer that the driver posted
 * @iova: its address
 * @host: the same in this process, once it was mapped
 * @len: its size; once it was mapped, the bytes that go there
 * @opaque: the driver's cookie
 */
struct rx_buffer {
	uint64_t iova;
	uint8_t *host;
	uint32_t len;
	uint32_t opaque;
};

static inline uint32_t rx_frame_len(const struct rx_frame *f)
{
	return f->head_len + f->body_len;
}

void rx_make_head(struct nic *nic, struct rx_frame *f);
void rx_strip_tag(struct nic *nic, struct rx_frame *f);
bool rx_wants_split(const struct nic *nic, const struct vnic *v, const struct rx_frame *f);
bool rx_peek_buffer(struct nic *nic, struct ring *r, uint32_t ahead, uint32_t type,
		    struct rx_buffer *b);
bool rx_map_buffer(struct nic *nic, struct ring *r, struct rx_buffer *b, uint32_t len);
void rx_trace_write(struct nic *nic, const struct ring *rx, const struct parsed *p,
		    const struct rx_buffer *b, uint32_t seq, bool payload);

/* tpa.c */
bool tpa_rx(struct nic *nic, const struct rx_target *to, struct rx_frame *f);

#endif
