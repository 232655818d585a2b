#ifndef CHAINRULE_CHECK_EXPORTED
#define CHAINRULE_CHECK_EXPORTED
/* Checks the networks that write_nets has written. */

#ifdef __cplusplus
extern "C" {
#endif

int number_of_nets(void);
/* Whether network j passes its self-check. Sets its name and the greatest relative differences of its predictions and of their derivatives
   from the library's. */
int net_is_right(int j, const char** name, double* difference, double* of_jacobian);
/* Whether the self-check of the network with a wrong weight fails, as it must. */
int corrupted_is_found(void);
/* The name of the first network in integers whose outputs are not the library's, bit for bit; NULL where all are right. */
const char* wrong_quantized_net(void);

#ifdef __cplusplus
}
#endif

#endif
