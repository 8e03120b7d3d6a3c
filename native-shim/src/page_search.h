/* Which pages of this process exist: what an image has to save. World: Frozen.
 *
 * Recipe: fill in the first four fields; open; one call for each mapping; close. A run of pages that exist is handed to `found`; a
 * negative result of it ends the search, and is the search's.
 */
#ifndef DM_PAGE_SEARCH_H
#define DM_PAGE_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

struct dm_page_search {
    int (*found)(void *argument, uint64_t start, uint64_t end);
    void *argument;
    uint8_t *scratch; /* the caller's; for what the kernel answers */
    uint64_t scratch_bytes;
    int pagemap;
    bool no_guard_category; /* kernel before 6.15 */
    bool no_scan;           /* kernel before 6.7 */
};

/* 0 or -errno. */
int dm_pages_open(struct dm_page_search *search) __attribute__((warn_unused_result));
void dm_pages_close(struct dm_page_search *search);

/* Private memory: pages that are present or swapped and not the kernel's page of zeros. `changed_only`: of a file mapping, those
 * that are no longer the file's. 0 or negative. */
int dm_pages_private(struct dm_page_search *search, uint64_t from, uint64_t to, bool changed_only)
    __attribute__((warn_unused_result));

/* Shared memory: the pages that the object has, mapped here or not. 0 or negative. */
int dm_pages_shared(struct dm_page_search *search, uint64_t from, uint64_t to) __attribute__((warn_unused_result));

#endif
