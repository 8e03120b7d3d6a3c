/* The kernel's code and data pages in a woken process. World: Bare, in the region.
 *
 * The program has addresses of the old kernel's functions in memory, and may have been stopped inside one of them. When this
 * kernel's pages are the same, byte for byte, they go to the old places. Else the old code comes back from
 * the image; since it must not read this kernel's data, whose layout is another, each of its functions begins with
 * the system call that does the same, a little slower.
 */
#include <asm/errno.h>
#include <elf.h>
#include <linux/mman.h>
#include <linux/prctl.h>

#include "base.h"
#include "dm_syscall.h"
#include "kernel.h"
#include "wake.h"

#ifndef __NR_getrandom
#define __NR_getrandom 318
#endif

/* vdso(7). getrandom: with three arguments the system call takes them as the function does. */
static int32_t call_of(const char *name)
{
    static const struct {
        char name[16];
        int32_t call;
    } calls[] = {
        {"clock_gettime", __NR_clock_gettime},
        {"clock_getres", __NR_clock_getres},
        {"gettimeofday", __NR_gettimeofday},
        {"time", __NR_time},
        {"getcpu", __NR_getcpu},
        {"getrandom", __NR_getrandom},
    };
    static const char prefix[] = "__vdso_";
    if (memcmp(name, prefix, sizeof prefix - 1) == 0)
        name += sizeof prefix - 1;
    for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++)
        if (dm_equal(name, calls[i].name))
            return calls[i].call;
    return -1;
}

/* mov $call, %eax; syscall; ret */
static void put_call(uint8_t *code, int32_t call)
{
    const uint8_t stub[] = {0xb8, (uint8_t)call, (uint8_t)(call >> 8), 0, 0, 0x0f, 0x05, 0xc3};
    memcpy(code, stub, sizeof stub);
}

static int has_room(uint64_t bytes, uint64_t offset, uint64_t length)
{
    return offset <= bytes && length <= bytes - offset;
}

/* 0, or -1 when a function is not known or the file makes no sense. */
static int replace_functions(uint8_t *pages, uint64_t bytes)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)pages;
    if (!has_room(bytes, header->e_shoff, (uint64_t)header->e_shnum * sizeof(Elf64_Shdr)))
        return -1;
    const Elf64_Shdr *sections = (const Elf64_Shdr *)(pages + header->e_shoff), *symbols = 0;
    for (unsigned i = 0; i < header->e_shnum; i++)
        if (sections[i].sh_type == SHT_DYNSYM && sections[i].sh_link < header->e_shnum)
            symbols = &sections[i];
    if (symbols == 0 || !has_room(bytes, symbols->sh_offset, symbols->sh_size))
        return -1;
    const Elf64_Shdr *names = &sections[symbols->sh_link];
    if (!has_room(bytes, names->sh_offset, names->sh_size) || names->sh_size == 0 ||
        pages[names->sh_offset + names->sh_size - 1] != 0)
        return -1;
    const Elf64_Sym *symbol = (const Elf64_Sym *)(pages + symbols->sh_offset);
    for (uint64_t left = symbols->sh_size / sizeof *symbol; left != 0; left--, symbol++) {
        if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC)
            continue;
        int32_t call =
            symbol->st_name < names->sh_size ? call_of((const char *)pages + names->sh_offset + symbol->st_name) : -1;
        if (call < 0 || !has_room(bytes, symbol->st_value, 8))
            return -1;
        put_call(pages + symbol->st_value, call);
    }
    return 0;
}

static const struct dm_kernel_part *part_of(const struct dm_wake *wake, const struct dm_image_vma *vma)
{
    return &wake->parts[vma->kind == DM_VMA_VVAR          ? DM_PART_VVAR
                        : vma->kind == DM_VMA_VVAR_VCLOCK ? DM_PART_VVAR_CLOCK
                                                          : DM_PART_VDSO];
}

static int is_same(const struct dm_wake *wake, const struct dm_image_vma *vma)
{
    const struct dm_kernel_part *part = part_of(wake, vma);
    if (part->bytes != vma->end - vma->start)
        return 0;
    return vma->kind != DM_VMA_VDSO || (vma->flags & DM_VMA_STORED) == 0 ||
           memcmp((const void *)part->start, (const void *)vma->start, part->bytes) == 0;
}

static void take_kernels(struct dm_wake *wake, const struct dm_image_vma *vma)
{
    const struct dm_kernel_part *part = part_of(wake, vma);
    int64_t got = dm_syscall5(__NR_mremap, (int64_t)part->start, (int64_t)part->bytes, (int64_t)part->bytes,
                              MREMAP_MAYMOVE | MREMAP_FIXED, (int64_t)vma->start);
    if (dm_is_error(got))
        dm_wake_fail(wake, "the kernel's own pages cannot be moved", "", got);
}

static void keep_old(struct dm_wake *wake, const struct dm_image_vma *vma)
{
    uint64_t bytes = vma->end - vma->start;
    int64_t error;
    if (vma->kind == DM_VMA_VDSO) {
        if ((vma->flags & DM_VMA_STORED) == 0 || replace_functions((uint8_t *)vma->start, bytes) < 0)
            dm_wake_fail(wake, "this kernel's vdso differs from the old one's", "", 0);
        error = dm_mprotect(vma->start, bytes, PROT_READ | PROT_EXEC);
    } else {
        error = dm_mmap(vma->start, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    }
    if (dm_is_error(error))
        dm_wake_fail(wake, "the old kernel's pages cannot be kept", "", error);
}

void dm_wake_kernel_parts(struct dm_wake *wake)
{
    int all_same = 1;
    for (uint64_t i = 0; i < wake->header->vma_count; i++)
        if (dm_is_kernel_part(&wake->vmas[i]))
            all_same &= is_same(wake, &wake->vmas[i]);
    for (uint64_t i = 0; i < wake->header->vma_count; i++)
        if (dm_is_kernel_part(&wake->vmas[i])) {
            if (all_same)
                take_kernels(wake, &wake->vmas[i]);
            else
                keep_old(wake, &wake->vmas[i]);
        }
}
