/* World: the program's own, or the constructor. */
#ifndef DM_OLD_ADDRESS_CALLS_H
#define DM_OLD_ADDRESS_CALLS_H

/* Looks libc's functions up. Takes the loader lock: in the constructor. */
void dm_address_calls_prepare(void);
void dm_host_names_prepare(void);

#endif
