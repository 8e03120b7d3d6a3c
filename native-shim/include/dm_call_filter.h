/* Makes machine code compress better: x86 calls, jumps and what else names a place by its distance name the place itself, so that two
 * calls of the same function look the same. World: all.
 *
 * Only distances of 25 bits (with sign) are changed, into numbers of 25 bits: their last byte stays 0x00 or 0xff. What looks
 * like such an instruction is stepped over as a whole, changed or not: so the way back meets the same ones. In place.
 */
#ifndef DM_CALL_FILTER_H
#define DM_CALL_FILTER_H

#include <stdint.h>

enum dm_filter_direction { DM_FILTER_TO_PLACES = 1, DM_FILTER_TO_DISTANCES = -1 };

/* What is changed: images of earlier versions have only the first. */
enum dm_filter_kind { DM_FILTER_CALLS, DM_FILTER_CALLS_AND_DATA };

#define DM_FILTER_FIELD_BYTES 4u

/* Bytes before the 32-bit distance from the next instruction; 0: there is none. */
static inline uint32_t dm_filter_opcode_bytes(const uint8_t *code, enum dm_filter_kind kind)
{
    if ((code[0] | 1) == 0xe9) /* call, jmp */
        return 1;
    int is_data = (code[0] == 0x8d || code[0] == 0x8b) && (code[1] & 0xc7) == 0x05; /* lea, mov: relative to rip */
    return kind == DM_FILTER_CALLS_AND_DATA && is_data ? 2 : 0;
}

static inline void dm_filter_field(uint8_t *field, uint32_t change)
{
    if (field[3] != 0x00 && field[3] != 0xff)
        return;
    uint32_t value = (uint32_t)field[0] | (uint32_t)field[1] << 8 | (uint32_t)field[2] << 16 | (uint32_t)field[3] << 24;
    value += change;
    value = (value & 0x1ffffff) ^ 0x1000000;
    value -= 0x1000000;
    for (uint32_t i = 0; i < DM_FILTER_FIELD_BYTES; i++)
        field[i] = (uint8_t)(value >> (8 * i));
}

static inline void dm_filter_calls(uint8_t *code, uint32_t bytes, enum dm_filter_kind kind,
                                   enum dm_filter_direction direction)
{
    uint32_t most = DM_FILTER_FIELD_BYTES + (kind == DM_FILTER_CALLS ? 1 : 2);
    for (uint32_t at = 0; at < bytes && bytes - at >= most;) {
        uint32_t opcode = dm_filter_opcode_bytes(code + at, kind);
        if (opcode == 0) {
            at++;
            continue;
        }
        uint8_t *field = code + at + opcode;
        at += opcode + DM_FILTER_FIELD_BYTES;
        dm_filter_field(field, direction == DM_FILTER_TO_PLACES ? at : 0u - at);
    }
}

#endif
