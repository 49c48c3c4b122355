/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BPF programs as instructions: no compiler for them is needed, nor a library */
#ifndef PATHS_PROG_H
#define PATHS_PROG_H

#include <linux/bpf.h>
#include <linux/bpf_common.h>
#include <stddef.h>
#include <stdint.h>

#define PROG_INSN(c, d, s, o, i) \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define PROG_MOV_IMM(d, i)	PROG_INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define PROG_MOV_REG(d, s)	PROG_INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define PROG_ADD_IMM(d, i)	PROG_INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define PROG_ADD_REG(d, s)	PROG_INSN(BPF_ALU64 | BPF_ADD | BPF_X, d, s, 0, 0)
#define PROG_LOAD(size, d, s, o) PROG_INSN(BPF_LDX | BPF_MEM | (size), d, s, o, 0)
#define PROG_STORE(size, d, o, s) PROG_INSN(BPF_STX | BPF_MEM | (size), d, s, o, 0)
#define PROG_STORE_IMM(size, d, o, i) PROG_INSN(BPF_ST | BPF_MEM | (size), d, 0, o, i)
#define PROG_JUMP(op, d, i, o)	PROG_INSN(BPF_JMP | (op) | BPF_K, d, 0, o, i)
#define PROG_JUMP_REG(op, d, s, o) PROG_INSN(BPF_JMP | (op) | BPF_X, d, s, o, 0)
#define PROG_CALL(f)		PROG_INSN(BPF_JMP | BPF_CALL, 0, 0, 0, f)
#define PROG_EXIT		PROG_INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
/* two instructions */
#define PROG_MAP(d, fd)		PROG_INSN(BPF_LD | BPF_DW | BPF_IMM, d, BPF_PSEUDO_MAP_FD, 0, fd), \
				PROG_INSN(0, 0, 0, 0, 0)

int prog_load(enum bpf_prog_type type, const struct bpf_insn *insns, size_t n);

#endif
