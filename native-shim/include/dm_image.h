/* The image file, as C and the restorer see it. World: all.
 *
 * Layout of a file, offsets ascending:
 *   struct dm_image_header (one page) | pages of our library | manifest | vma table | thread table |
 *   strings | extents (raw ones page-aligned) | extent table
 *
 * The header is written last, so that a file that was cut off has no magic.
 * All numbers are little endian; all checksums are CRC32C (Castagnoli,
 * initial value ~0, final xor ~0). docs/IMAGE-FORMAT.md says the same in words;
 * Dormouse.Protocol.Image mirrors it in C#.
 */
#ifndef DM_IMAGE_H
#define DM_IMAGE_H

#include <stdint.h>

#define DM_IMAGE_MAGIC "DORMOUSE"
#define DM_IMAGE_VERSION 1u
#define DM_IMAGE_MACHINE_X86_64 62u
#define DM_IMAGE_HEADER_BYTES 4096u
#define DM_IMAGE_NO_PATH 0xffffffffu
#define DM_IMAGE_AUXV_WORDS 64u
/* An extent never holds more memory than this. */
#define DM_IMAGE_EXTENT_BYTES (4u << 20)

/* What the restorer does with a mapping. */
enum dm_vma_kind {
    DM_VMA_ANON = 1,    /* private anonymous memory, extents fill it */
    DM_VMA_FILE = 2,    /* private mapping of a file, extents overwrite changed pages */
    DM_VMA_SHARED = 3,  /* shared memory: the restorer maps private anonymous memory (always
                                readable and writable) and fills extents; C# replaces it later */
    DM_VMA_SCRATCH = 4, /* memory of our own that comes back empty */
    DM_VMA_VDSO = 5,    /* kernel code page(s): moved here from where the new kernel put them */
    DM_VMA_VVAR = 6,
    DM_VMA_VVAR_VCLOCK = 7,
};

/* VmFlags of smaps(5) that mmap's prot and flags do not carry. */
enum dm_vma_advice {
    DM_ADVICE_DONTCOPY = 1 << 0,   /* dc */
    DM_ADVICE_DONTDUMP = 1 << 1,   /* dd */
    DM_ADVICE_HUGEPAGE = 1 << 2,   /* hg */
    DM_ADVICE_NOHUGEPAGE = 1 << 3, /* nh */
    DM_ADVICE_MERGEABLE = 1 << 4,  /* mg */
    DM_ADVICE_WIPEONFORK = 1 << 5, /* wf */
    DM_ADVICE_LOCKED = 1 << 6,     /* lo */
};

enum dm_codec {
    DM_CODEC_RAW = 0,
    DM_CODEC_LZ4 = 1, /* one block */
    DM_CODEC_ZSTD = 2,
    DM_CODEC_LZ4_CALLS = 3, /* LZ4 of machine code prepared by dm_call_filter.h, as earlier versions did */
    DM_CODEC_LZ4_CODE = 4,  /* the same, and also what names data */
};

enum dm_vma_flag {
    /* DM_VMA_FILE: the image has all of it, for when the file is not the same any more. DM_VMA_VDSO: likewise. */
    DM_VMA_STORED = 1,
};

struct dm_image_vma {
    uint64_t start;       /* page-aligned, inclusive */
    uint64_t end;         /* page-aligned, exclusive */
    uint32_t prot;        /* PROT_* */
    uint32_t map_flags;   /* MAP_* beyond MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS: GROWSDOWN, NORESERVE, STACK, HUGETLB */
    uint32_t kind;        /* enum dm_vma_kind */
    uint32_t advice;      /* enum dm_vma_advice, or-ed */
    uint64_t file_offset; /* DM_VMA_FILE, DM_VMA_SHARED */
    uint32_t path;        /* offset of a NUL-terminated path in the strings, or DM_IMAGE_NO_PATH */
    uint32_t flags;       /* enum dm_vma_flag, or-ed */
    uint64_t file_bytes;  /* DM_VMA_FILE: size of the file at the checkpoint */
    uint64_t file_mtime;  /* DM_VMA_FILE: modification time, nanoseconds since the epoch */
};

enum dm_thread_flag {
    DM_THREAD_LEADER = 1,     /* tid equals the process id */
    DM_THREAD_CHECKPOINT = 2, /* our own checkpoint thread */
    DM_THREAD_RUNTIME = 4,    /* another thread of our own */
    DM_THREAD_GIVES_UP = 8,   /* it gives up as its last step what rights the process was left too many */
};

struct dm_image_thread {
    uint32_t tid;
    uint32_t flags; /* enum dm_thread_flag */
    uint64_t fs_base;
    uint64_t slot; /* argument of restored_entry */
};

struct dm_image_extent {
    uint64_t address;      /* page-aligned */
    uint64_t file_offset;  /* page-aligned when raw */
    uint32_t bytes;        /* of memory, a multiple of the page size */
    uint32_t stored_bytes; /* in the file */
    uint32_t codec;        /* enum dm_codec */
    uint32_t crc;          /* of the stored bytes */
};

/* The fields of the kernel's struct prctl_mm_map, see prctl(2), PR_SET_MM_MAP. */
struct dm_image_mm {
    uint64_t start_code, end_code, start_data, end_data;
    uint64_t start_brk, brk, start_stack;
    uint64_t arg_start, arg_end, env_start, env_end;
    uint32_t auxv_words;
    uint32_t exe_path; /* offset in the strings */
    uint64_t auxv[DM_IMAGE_AUXV_WORDS];
};

struct dm_image_header {
    char magic[8];
    uint32_t version;
    uint32_t machine;
    uint32_t header_bytes;
    uint32_t page_bytes;

    uint64_t computation; /* the same in all images of one computation */
    uint32_t generation;
    uint32_t member;
    uint32_t image_count; /* images in this generation */
    uint32_t pid;

    uint64_t file_bytes; /* of the whole image */
    uint64_t manifest_offset, manifest_bytes;
    uint64_t vma_offset, vma_count;
    uint64_t thread_offset, thread_count;
    uint64_t strings_offset, strings_bytes;
    uint64_t extent_offset, extent_count;
    uint32_t manifest_crc, vma_crc, thread_crc, strings_crc, extent_crc;
    uint32_t reserved;

    uint64_t restored_entry; /* void (*)(uint64_t slot), in the restored memory */
    uint64_t restart_info;   /* struct dm_restart_info *, in the restored memory */
    uint64_t signature; /* random, the same at this address in the restored memory: a cheap proof of a whole restore */

    struct dm_image_mm mm;

    uint32_t header_crc; /* of the 4096 bytes with this field as 0; the rest of the page is 0 */
};

_Static_assert(sizeof(struct dm_image_vma) == 64, "vma record");
_Static_assert(sizeof(struct dm_image_thread) == 24, "thread record");
_Static_assert(sizeof(struct dm_image_extent) == 32, "extent record");
_Static_assert(sizeof(struct dm_image_header) <= DM_IMAGE_HEADER_BYTES, "header");

/* What the restorer leaves in the restored memory for libdormouse. */
#define DM_RESTART_HOST_BYTES 256u
#define DM_RESTART_LIBRARY_BYTES 256u
struct dm_restart_info {
    uint32_t bytes; /* how much of it is valid; before: how much room the library in the image has, 0: all of it */
    uint32_t flags; /* enum dm_restart_flag */
    uint64_t region_start; /* the restorer's own memory, to be unmapped when all threads have left it */
    uint64_t region_bytes;
    uint64_t session; /* random, one for each run of dmrestart */
    int32_t image_fd; /* this image, open for reading, or -1 */
    int32_t stdio[3]; /* dmrestart's standard streams, at high descriptor numbers, or -1 */
    uint16_t port;    /* of the coordinator */
    uint16_t reserved[3];
    uint8_t token[32];
    char host[DM_RESTART_HOST_BYTES];       /* of the coordinator: numeric address, NUL-terminated */
    char library[DM_RESTART_LIBRARY_BYTES]; /* libdormouse.so of the installation that wakes; empty: not known */
};
enum dm_restart_flag {
    DM_RESTART_POD = 1,
    /* The checkpoint thread still has the capabilities of the pod, and drops them when all is restored. Only images without
     * DM_THREAD_GIVES_UP ask. */
    DM_RESTART_DROP_CAPABILITIES = 2,
    /* Files that cannot be rolled back are taken as they are. */
    DM_RESTART_ACCEPT_CHANGED_FILES = 4,
    /* Say nothing but errors. */
    DM_RESTART_QUIET = 8,
    /* The user reads what is said on another host: it begins with this one's name. */
    DM_RESTART_NAME_HOST = 16,
};

#endif
