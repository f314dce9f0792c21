/* leaks.h - asks LeakSanitizer at the end of a test, because what it reports after the test does not fail it.
 * Owns: no_leaks(). Used by: unit tests that allocate. */
#ifndef PICKUP_T_LEAKS_H
#define PICKUP_T_LEAKS_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAKS_WATCHED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(LEAKS_WATCHED)
#include <sanitizer/lsan_interface.h>
#define no_leaks() (__lsan_do_recoverable_leak_check() == 0)
#else
#define no_leaks() 1
#endif

#endif
