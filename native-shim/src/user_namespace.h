/* World: Guest. */
#ifndef DM_USER_NAMESPACE_H
#define DM_USER_NAMESPACE_H

/* Finds libc's functions; in the constructor, since dlsym(3) must not be called everywhere that unshare(2) may. */
void dm_user_namespace_prepare(void);

#endif
