/* Symbol visibility. Everything is hidden unless it says DM_API; what is exported then still needs a line in the
 * export map that the generator writes (interposed functions, and dm_* for tests and debuggers). */
#ifndef DM_API_H
#define DM_API_H

#define DM_API __attribute__((visibility("default")))

#endif
