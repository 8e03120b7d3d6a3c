/* World: the program's own, or the constructor. */
#ifndef DM_REUSE_ADDRESS_H
#define DM_REUSE_ADDRESS_H

/* Looks libc's functions up. Takes the loader lock: in the constructor. */
void dm_reuse_address_prepare(void);

#endif
