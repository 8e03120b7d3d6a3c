/* What a thread may do: users, groups and capabilities, credentials(7) and capabilities(7). They are a thread's own in the
 * kernel. World: all, in the thread itself. */
#ifndef DM_CREDENTIALS_H
#define DM_CREDENTIALS_H

#include "dm_thread.h"

/* Those of the calling thread. */
void dm_credentials_capture(struct dm_credentials *credentials);

/* Gives the calling thread these, as far as it may: nothing can be gained here. */
void dm_credentials_restore(const struct dm_credentials *credentials);

#endif
