/* Makes libdormouse.pages of libdormouse.so; see dm_library_pages.h. World: Ordinary, at build time.
 * usage: pack-library LIBRARY SYMBOLS RESULT    SYMBOLS: the same library before it was stripped */
#define _GNU_SOURCE
#include <elf.h>
#include <err.h>
#include <fcntl.h>
#include <lz4hc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec.h"
#include "dm_call_filter.h"
#include "dm_crc32c.h"
#include "dm_image.h"
#include "dm_library_pages.h"

#define PAGE 4096u
#define BLOCK_BYTES (512u << 10)
#define MOST_BLOCKS 64u

struct library {
    const uint8_t *bytes;
    size_t length;
    uint64_t changed_page; /* in read-only memory, that the C# runtime writes to when it starts all the same; 0: none */
    const Elf64_Ehdr *header;
    const Elf64_Phdr *segments;
};

struct result {
    int fd;
    uint64_t end;
    struct dm_library_pages header;
    struct dm_library_block blocks[MOST_BLOCKS];
};

static struct library open_library(const char *path)
{
    int fd = open(path, O_RDONLY);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0)
        err(1, "%s", path);
    struct library library = {.length = (size_t)status.st_size};
    library.bytes = mmap(NULL, library.length, PROT_READ, MAP_PRIVATE, fd, 0);
    if (library.bytes == MAP_FAILED)
        err(1, "%s", path);
    library.header = (const Elf64_Ehdr *)library.bytes;
    library.segments = (const Elf64_Phdr *)(library.bytes + library.header->e_phoff);
    return library;
}

static void copy_build_id(const struct library *library, uint8_t *id)
{
    for (unsigned i = 0; i < library->header->e_phnum; i++) {
        const Elf64_Phdr *segment = &library->segments[i];
        const Elf64_Nhdr *note = (const Elf64_Nhdr *)(library->bytes + segment->p_offset);
        if (segment->p_type != PT_NOTE || note->n_type != NT_GNU_BUILD_ID || note->n_descsz != DM_BUILD_ID_BYTES)
            continue;
        memcpy(id, (const uint8_t *)(note + 1) + note->n_namesz, DM_BUILD_ID_BYTES);
        return;
    }
    errx(1, "the library has no build id");
}

/* The runtime's stack cookie: NativeAOT opens the page for a moment. */
static uint64_t find_cookie_page(const struct library *library)
{
    const Elf64_Shdr *sections = (const Elf64_Shdr *)(library->bytes + library->header->e_shoff);
    for (unsigned i = 0; i < library->header->e_shnum; i++) {
        if (sections[i].sh_type != SHT_SYMTAB)
            continue;
        const Elf64_Sym *symbols = (const Elf64_Sym *)(library->bytes + sections[i].sh_offset);
        const char *names = (const char *)library->bytes + sections[sections[i].sh_link].sh_offset;
        for (size_t s = 0; s < sections[i].sh_size / sizeof *symbols; s++)
            if (strcmp(names + symbols[s].st_name, "__security_cookie") == 0)
                return symbols[s].st_value & ~(uint64_t)(PAGE - 1);
    }
    return 0;
}

static void put(struct result *result, const void *bytes, size_t length, uint64_t offset)
{
    if (pwrite(result->fd, bytes, length, (off_t)offset) != (ssize_t)length)
        err(1, "write");
}

/* Pages as they are mapped: with the bytes of the file on both sides of the segment. */
static void add_block(struct result *result, const struct library *library, uint64_t place, uint64_t offset,
                      uint32_t bytes, bool is_code)
{
    static uint8_t pages[BLOCK_BYTES], stored[LZ4_COMPRESSBOUND(BLOCK_BYTES)], back[BLOCK_BYTES];
    memset(pages, 0, sizeof pages);
    size_t in_file = library->length - offset;
    memcpy(pages, library->bytes + offset, in_file < bytes ? in_file : bytes);
    if (is_code)
        dm_filter_calls(pages, bytes, DM_FILTER_CALLS_AND_DATA, DM_FILTER_TO_PLACES);
    int length = LZ4_compress_HC((const char *)pages, (char *)stored, (int)bytes, sizeof stored, LZ4HC_CLEVEL_MAX);
    if (length <= 0 || result->header.count == MOST_BLOCKS)
        errx(1, "the library cannot be compressed");
    uint32_t codec = is_code ? DM_CODEC_LZ4_CODE : DM_CODEC_LZ4;
    if (dm_decode(codec, stored, (uint32_t)length, back, bytes) != 0 ||
        memcmp(back, library->bytes + offset, in_file < bytes ? in_file : bytes) != 0)
        errx(1, "the restorer does not read the pages back as they were");
    result->blocks[result->header.count++] = (struct dm_library_block){
        .place = place,
        .file_offset = result->end,
        .bytes = bytes,
        .stored_bytes = (uint32_t)length,
        .codec = codec,
        .crc = dm_crc32c(stored, (uint64_t)length),
    };
    put(result, stored, (size_t)length, result->end);
    result->end += (uint64_t)length;
}

static void add_segment(struct result *result, const struct library *library, const Elf64_Phdr *segment)
{
    uint64_t start = segment->p_vaddr & ~(uint64_t)(PAGE - 1);
    uint64_t end = (segment->p_vaddr + segment->p_filesz + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    uint64_t offset = segment->p_offset & ~(uint64_t)(PAGE - 1);
    for (uint64_t at = start, bytes; at < end; at += bytes) {
        bytes = end - at < BLOCK_BYTES ? end - at : BLOCK_BYTES;
        if (library->changed_page > at && library->changed_page < at + bytes)
            bytes = library->changed_page - at;
        else if (library->changed_page == at)
            bytes = PAGE;
        if (library->changed_page != at || at == 0)
            add_block(result, library, at, offset + (at - start), (uint32_t)bytes, (segment->p_flags & PF_X) != 0);
    }
}

int main(int count, char **arguments)
{
    if (count != 4)
        errx(2, "usage: pack-library LIBRARY SYMBOLS RESULT");
    struct library library = open_library(arguments[1]), symbols = open_library(arguments[2]);
    library.changed_page = find_cookie_page(&symbols);
    struct result result = {.fd = open(arguments[3], O_RDWR | O_CREAT | O_TRUNC, 0644),
                            .end = sizeof result.header + sizeof result.blocks};
    if (result.fd < 0)
        err(1, "%s", arguments[3]);
    memcpy(result.header.magic, DM_LIBRARY_PAGES_MAGIC, sizeof result.header.magic);
    copy_build_id(&library, result.header.build_id);
    for (unsigned i = 0; i < library.header->e_phnum; i++)
        if (library.segments[i].p_type == PT_LOAD && (library.segments[i].p_flags & PF_W) == 0)
            add_segment(&result, &library, &library.segments[i]);
    put(&result, &result.header, sizeof result.header, 0);
    put(&result, result.blocks, sizeof result.blocks, sizeof result.header);
    return close(result.fd);
}
