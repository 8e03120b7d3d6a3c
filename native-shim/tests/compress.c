/* What the writer compresses, the restorer and LZ4's own decoder read back; damaged blocks are refused and nothing is written
 * outside. */
#include "compress.h"

#include <lz4.h>
#include <lz4hc.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "codec.h"
#include "dm_call_filter.h"
#include "dm_image.h"

enum { MOST = 300000, ROOM = MOST + 4096, GUARD = 64 };

static uint8_t s_data[MOST], s_stored[ROOM], s_back[MOST + GUARD];
static uint32_t s_table[DM_COMPRESS_TABLE_BYTES / sizeof(uint32_t)];
static uint64_t s_state = 1;

static uint64_t next(void)
{
    s_state ^= s_state << 13;
    s_state ^= s_state >> 7;
    return s_state ^= s_state << 17;
}

/* Memory as processes have it: runs of zeros, numbers that differ little, repeated records, noise. */
static void fill(uint32_t bytes, unsigned kind)
{
    for (uint32_t i = 0; i < bytes; i++)
        switch (kind) {
        case 0:
            s_data[i] = 0;
            break;
        case 1:
            s_data[i] = (uint8_t)next();
            break;
        case 2:
            s_data[i] = (uint8_t)(i % 8 < 6 ? 0x7f - i % 8 : next());
            break;
        default:
            s_data[i] = i >= 64 && next() % 50 != 0 ? s_data[i - 64 + next() % 2 * 32] : (uint8_t)next();
            break;
        }
}

static void check_round_trip(uint32_t bytes, unsigned kind)
{
    fill(bytes, kind);
    memset(s_table, (int)kind, sizeof s_table);
    int64_t length = dm_compress_page_run(s_data, bytes, s_stored, ROOM, s_table);
    CHECK(length > 0);
    memset(s_back, 0xa5, sizeof s_back);
    CHECK(dm_decode(DM_CODEC_LZ4, s_stored, (uint32_t)length, s_back, bytes) == 0);
    CHECK(memcmp(s_back, s_data, bytes) == 0 && s_back[bytes] == 0xa5);
    CHECK(LZ4_decompress_safe((const char *)s_stored, (char *)s_back, (int)length, (int)bytes) == (int)bytes);
    CHECK(memcmp(s_back, s_data, bytes) == 0);
    /* One byte too little room: refused, not overrun. */
    uint32_t capacity = (uint32_t)length - 1;
    s_stored[capacity] = 0x5a;
    CHECK(dm_compress_page_run(s_data, bytes, s_stored, capacity, s_table) == 0);
    CHECK(s_stored[capacity] == 0x5a);
}

static void check_other_encoder(uint32_t bytes, unsigned kind)
{
    fill(bytes, kind);
    int length = LZ4_compress_HC((const char *)s_data, (char *)s_stored, (int)bytes, ROOM, LZ4HC_CLEVEL_MAX);
    CHECK(length > 0);
    CHECK(dm_decode(DM_CODEC_LZ4, s_stored, (uint32_t)length, s_back, bytes) == 0);
    CHECK(memcmp(s_back, s_data, bytes) == 0);
}

static void check_damage(void)
{
    const uint32_t bytes = 20000;
    for (int i = 0; i < 2000; i++) {
        fill(bytes, 3);
        int64_t length = dm_compress_page_run(s_data, bytes, s_stored, ROOM, s_table);
        s_stored[next() % (uint64_t)length] ^= (uint8_t)(1 + next() % 255);
        memset(s_back + bytes, 0xa5, GUARD);
        (void)dm_decode(DM_CODEC_LZ4, s_stored, (uint32_t)length, s_back, bytes);
        for (int g = 0; g < GUARD; g++)
            CHECK(s_back[bytes + (uint32_t)g] == 0xa5);
    }
    for (uint32_t cut = 0; cut < 200; cut++)
        CHECK(dm_decode(DM_CODEC_LZ4, s_stored, cut, s_back, bytes) != 0);
}

/* Bytes that look like instructions in all the ways in which they can overlap. */
static void check_call_filter(enum dm_filter_kind kind)
{
    static const uint8_t Opcodes[] = {0xe8, 0xe9, 0x8d, 0x8b, 0x05, 0x3d};
    for (int i = 0; i < 200; i++) {
        fill(MOST, 1);
        for (uint32_t at = 0; at + 6 < MOST; at += 1 + (uint32_t)(next() % 9)) {
            s_data[at] = Opcodes[next() % sizeof Opcodes];
            s_data[at + 1] = next() % 2 ? 0x05 | (uint8_t)(next() % 8 << 3) : s_data[at + 1];
            s_data[at + 4] = next() % 3 == 0 ? 0xff : next() % 2 ? 0 : s_data[at + 4];
            s_data[at + 5] = next() % 3 == 0 ? 0xff : next() % 2 ? 0 : s_data[at + 5];
        }
        memcpy(s_back, s_data, MOST);
        uint32_t bytes = MOST - (uint32_t)(next() % 20);
        dm_filter_calls(s_back, bytes, kind, DM_FILTER_TO_PLACES);
        CHECK(memcmp(s_back, s_data, MOST) != 0);
        dm_filter_calls(s_back, bytes, kind, DM_FILTER_TO_DISTANCES);
        CHECK(memcmp(s_back, s_data, MOST) == 0);
    }
}

int main(void)
{
    for (unsigned kind = 0; kind < 4; kind++) {
        for (uint32_t bytes = 1; bytes < 300; bytes++)
            check_round_trip(bytes, kind);
        for (uint32_t bytes = 4096; bytes <= MOST; bytes = bytes * 3 / 2)
            check_round_trip(bytes, kind);
        check_other_encoder(MOST, kind);
    }
    check_damage();
    check_call_filter(DM_FILTER_CALLS);
    check_call_filter(DM_FILTER_CALLS_AND_DATA);
    return 0;
}
