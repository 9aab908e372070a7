/* SPDX-License-Identifier: Apache-2.0 */
/* leat: -lgmp */
#include <gmp.h>
#include <leat.h>
#include <limits.h>

/* The sum of 1, 2, ... n, one addition after the other, as add.py does it. */
void add(mpz_t result, const mpz_t n)
{
	unsigned long last = 0;
	if (mpz_sgn(n) > 0)
		/* Nobody will see the end of a longer sum. */
		last = mpz_fits_ulong_p(n) ? mpz_get_ui(n) : ULONG_MAX;
	/* Twice as wide as n: the sum of all numbers up to n fits. */
	unsigned __int128 sum = 0;
	for (unsigned long i = 0; i < last;) {
		sum += ++i;
		/* The compiler must believe that the sum is used, or it computes n * (n + 1) / 2.
		 */
		__asm__ volatile("" : "+r"(sum));
	}
	mpz_set_ui(result, (unsigned long)(sum >> 64));
	mpz_mul_2exp(result, result, 64);
	mpz_add_ui(result, result, (unsigned long)sum);
}
LEAT_STAGE(add)
