/* openapi.h - the description of the API (OpenAPI 3.1) that is built into the program.
 * Owns: nothing; api/build makes openapi_text.c from api/. Used by: ep_openapi.c, tool_request.c. */
#ifndef PICKUP_OPENAPI_H
#define PICKUP_OPENAPI_H

#include <stddef.h>

extern const char openapi_text[];	/* JSON, with a newline at its end */
extern const size_t openapi_len;
extern const char openapi_etag[];	/* a quoted tag of that text */

#endif
