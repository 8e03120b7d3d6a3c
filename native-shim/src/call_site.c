/* World: Frozen. */
#define _GNU_SOURCE
#include "call_site.h"

#include <stdbool.h>
#include <string.h>

#include "dm_syscall.h"
#include "dm_thread.h"

#define PAGE_BYTES 4096
#define SYSCALL_BYTES 2
/* How far before the syscall instruction rax may be set: in libc it is 30 bytes at most. */
#define MOST_BYTES 40
#define MOST_NUMBER 1023
#define EAX 0

extern char dm_sem_call_returned[], dm_syscall_returned[];

/* One instruction that compilers place between the one that sets eax and the syscall instruction. */
struct instruction {
    unsigned bytes;  /* 0: none that is known here */
    int destination; /* the register that it writes, or -1 */
    int source;      /* the register that it copies there, or -1 */
    int64_t value;   /* the constant that it sets it to, or -1 */
};

/* The bytes of a ModRM byte and what belongs to it; 0 when they are more than `room`. */
static unsigned modrm_bytes(const uint8_t *code, unsigned room)
{
    unsigned mode = code[0] >> 6, base = code[0] & 7, bytes = 1;
    if (mode != 3 && base == 4) {
        if (room < 2)
            return 0;
        bytes = 2;
        base = code[1] & 7;
    }
    if (mode == 1)
        bytes += 1;
    else if (mode == 2 || (mode == 0 && base == 5))
        bytes += 4;
    return bytes <= room ? bytes : 0;
}

static int64_t constant(const uint8_t *code)
{
    uint32_t value;
    memcpy(&value, code, sizeof value);
    return value;
}

/* Intel's manual, volume 2, opcode maps: moves, lea and arithmetic; no jump, no call, nothing that writes rax unseen. */
static struct instruction decode(const uint8_t *code, unsigned room)
{
    const struct instruction unknown = {.bytes = 0};
    struct instruction one = {.destination = -1, .source = -1, .value = -1};
    unsigned at = 0, rex = 0, immediate = 0;
    while (at < room && (code[at] == 0x64 /* fs: */ || code[at] == 0x66))
        at++;
    if (at < room && (code[at] & 0xf0) == 0x40)
        rex = code[at++];
    if (room - at < 2)
        return unknown;
    uint8_t opcode = code[at++];
    if ((opcode & 0xf8) == 0xb8) { /* mov $imm32, reg */
        if ((rex & 8) != 0 || room - at < 4)
            return unknown;
        one.bytes = at + 4;
        one.destination = (int)((opcode & 7) | (rex & 1) << 3);
        one.value = constant(code + at);
        return one;
    }
    const uint8_t *modrm = code + at;
    int reg = (int)((*modrm >> 3 & 7) | (rex & 4) << 1);
    int operand = *modrm >> 6 == 3 ? (int)((*modrm & 7) | (rex & 1) << 3) : -1; /* -1: in memory */
    /* clang-format off: one line for each group of opcodes */
    switch (opcode) {
    case 0x89: /* mov reg, operand */
        one.source = reg;
        one.destination = operand;
        break;
    case 0x8b: /* mov operand, reg */
        one.source = operand;
        one.destination = reg;
        break;
    case 0x31: /* xor reg, operand */
        if (reg == operand)
            one.value = 0;
        one.destination = operand;
        break;
    case 0x01:
    case 0x09:
    case 0x21:
    case 0x29: /* add, or, and, sub: reg, operand */
        one.destination = operand;
        break;
    case 0x03:
    case 0x0b:
    case 0x23:
    case 0x2b:
    case 0x33:
    case 0x63:
    case 0x8d: /* add, or, and, sub, xor, movsxd, lea: operand, reg */
        one.destination = reg;
        break;
    case 0x39:
    case 0x3b:
    case 0x85: /* cmp, test */
        break;
    case 0x80:
    case 0x83: /* arithmetic: $imm8, operand */
        one.destination = operand;
        immediate = 1;
        break;
    case 0x81:
    case 0xc7: /* arithmetic, mov: $imm32, operand */
        one.destination = operand;
        immediate = 4;
        break;
    case 0xf7: /* not, neg; the others have an immediate or write rax */
        if ((*modrm >> 3 & 7) != 2 && (*modrm >> 3 & 7) != 3)
            return unknown;
        one.destination = operand;
        break;
    default:
        return unknown;
    }
    /* clang-format on */
    unsigned operands = modrm_bytes(modrm, room - at);
    if (operands == 0 || operands + immediate > room - at)
        return unknown;
    one.bytes = at + operands + immediate;
    if (opcode == 0xc7)
        one.value = constant(modrm + operands);
    return one;
}

/* What the instructions from `at` on, which end right before the syscall instruction, leave in eax: the first sets it. Else -1. */
static int64_t number_set_at(const uint8_t *at, const uint8_t *end, const uint64_t *registers)
{
    struct instruction first = decode(at, (unsigned)(end - at));
    if (first.bytes == 0 || first.destination != EAX)
        return -1;
    for (at += first.bytes; at < end;) {
        struct instruction next = decode(at, (unsigned)(end - at));
        if (next.bytes == 0 || next.destination == EAX || (next.destination >= 0 && next.destination == first.source))
            return -1;
        at += next.bytes;
    }
    if (at != end)
        return -1;
    return first.value >= 0 ? first.value : first.source >= 0 ? (int64_t)registers[first.source] : -1;
}

int64_t dm_call_number_in_code(uint64_t after, const uint64_t *registers)
{
    const uint8_t *code = (const uint8_t *)after, *end = code - SYSCALL_BYTES;
    /* The code before the first instruction of a mapping cannot be looked at. */
    unsigned most = (unsigned)(after % PAGE_BYTES);
    if (most < SYSCALL_BYTES || end[0] != 0x0f || end[1] != 0x05)
        return -1;
    most -= SYSCALL_BYTES;
    for (unsigned before = 2; before <= most && before <= MOST_BYTES; before++) {
        int64_t number = number_set_at(end - before, end, registers);
        if (number >= 0)
            return number <= MOST_NUMBER ? number : -1;
    }
    return -1;
}

bool dm_code_has_call_number(uint64_t after)
{
    static const uint64_t Any[16];
    return dm_call_number_in_code(after, Any) >= 0;
}

static int64_t number_in_frame(const ucontext_t *context)
{
    /* Numbered as the processor does. A system call changes rax, rcx (1) and r11 only. */
    static const uint8_t Names[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                      REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    uint64_t registers[16];
    for (unsigned i = 0; i < 16; i++)
        registers[i] = (uint64_t)context->uc_mcontext.gregs[Names[i]];
    registers[0] = registers[1] = registers[11] = ~0ull;
    return dm_call_number_in_code((uint64_t)context->uc_mcontext.gregs[REG_RIP], registers);
}

int64_t dm_interrupted_call_number(const struct dm_blocked_call *blocked, const ucontext_t *context)
{
    const greg_t *r = context->uc_mcontext.gregs;
    uint64_t rip = (uint64_t)r[REG_RIP];
    if (rip == (uint64_t)dm_resume_wait_after)
        return __NR_ppoll;
    if (rip == (uint64_t)dm_resume_call_after)
        return ((const struct dm_resume_call *)r[REG_RSP])->number;
    if (rip == (uint64_t)dm_sem_call_returned)
        return __NR_semtimedop; /* without a limit it is semop(2) */
    if (rip == (uint64_t)dm_syscall_returned)
        return *(const int64_t *)(r[REG_RSP] - 8);
    int64_t number = number_in_frame(context);
    if (number >= 0)
        return number;
    return blocked->number != __NR_restart_syscall && blocked->pc == rip ? blocked->number : -1;
}
