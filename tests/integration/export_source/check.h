#ifndef CHAINRULE_CHECK_EXPORTED
#define CHAINRULE_CHECK_EXPORTED
/* The nets that write_nets has written, one after the other. */

#ifdef __cplusplus
extern "C" {
#endif

int number_of_nets(void);
/* Whether net j passes its self-check; its name, and the greatest relative difference of its predictions from the library's. */
int net_is_right(int j, const char** name, double* difference);
/* Whether the self-check of the corrupted net says so. */
int corrupted_is_found(void);

#ifdef __cplusplus
}
#endif

#endif
