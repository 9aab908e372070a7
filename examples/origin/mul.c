/* SPDX-License-Identifier: Apache-2.0 */
/* leat: -lgmp */
#include <gmp.h>
#include <leat.h>
#include <limits.h>
#include <stdlib.h>

static long repeats = 4000000;

/* Runs once, when the stage is loaded. */
__attribute__((constructor)) static void read_repeats(void)
{
	const char *text = getenv("ORIGIN_REPEATS");
	if (text)
		repeats = atol(text);
}

/* 1 * 2 * ... * last: in a machine word while it fits, then in an integer of any size. */
static void factorial(mpz_t result, unsigned long last)
{
	unsigned long product = 1;
	unsigned long i = 1;
	for (; i <= last; i++) {
		unsigned long next;
		if (__builtin_mul_overflow(product, i, &next))
			break;
		product = next;
		/* The compiler must believe that the product is used, or it drops the loop. */
		__asm__ volatile("" : "+r"(product));
	}
	mpz_set_ui(result, product);
	for (; i <= last; i++)
		mpz_mul_ui(result, result, i);
}

/* The factorial of n, recomputed until it has taken its time, as mul.py does. */
void mul(mpz_t result, const mpz_t n)
{
	unsigned long last = 0;
	if (mpz_sgn(n) > 0)
		/* Nobody will see the end of a longer product. */
		last = mpz_fits_ulong_p(n) ? mpz_get_ui(n) : ULONG_MAX;
	mpz_set_ui(result, 1);
	for (long i = 0; i < repeats; i++)
		factorial(result, last);
}
LEAT_STAGE(mul)
