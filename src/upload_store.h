/* upload_store.h - the files of uploaded photos: DIR/3f/3f….jpg, and DIR/tmp for what is on its way.
 * Owns: that directory, PICKUP_UPLOAD_DIR. Does not own: rows (db_upload.c), which photo may be there (ep_upload.c, relay_uploads.c).
 * Used by: ep_upload.c, relay_uploads.c, tool_check.c. A file is there before its row, and goes after it: what a crash leaves is a file that
 * nobody knows, and the relay finds it. */
#ifndef PICKUP_UPLOAD_STORE_H
#define PICKUP_UPLOAD_STORE_H

#include <time.h>
#include "outcome.h"
#include "upload.h"

/* False: not there, or others may use it, or we may not write; why says so. */
must_check bool upload_dir_ok(const char *dir, char *why, size_t n);

/* What is being received. What came has no name in the directory, so nothing of it outlives us. */
struct upload_file { int dir, raw; uint64_t size; };

/* OC_OK, and the caller closes it; OC_DOWN (logged): the directory or the disk is not to be had. */
must_check enum outcome upload_file_open(struct upload_file *f, const char *dir);
/* Adds n bytes. False (logged): the disk is full, or fails. */
must_check bool upload_file_add(void *upload_file, const char *s, size_t n);
/* Cleans what came and keeps that, on disk for certain, under a new name. IMAGE_UNWRITTEN (logged): the disk is full, or fails. Nothing is
 * left where it is not IMAGE_GOOD. */
must_check enum image_verdict upload_file_keep(struct upload_file *f, struct upload_name *name, uint64_t *bytes);
void upload_file_close(struct upload_file *f);

/* The whole file in memory that is the kernel's to take back; OC_NOT_FOUND, or OC_DOWN (logged). upload_unmap(out) gives it back. */
must_check enum outcome upload_map(const char *dir, const struct upload_name *name, struct str *out);
void upload_unmap(void *str);

/* True: it is gone, or was not there; else logged. */
bool upload_remove(const char *dir, const struct upload_name *name);
/* Names of files last written before that time, in order, at most max, the first ones behind *after ("": from the start), which becomes the
 * place to go on from; 0: there are no more. A directory that can't be read is told and has none. */
size_t upload_list(const char *dir, char after[UPLOAD_NAME_SIZE], time_t before, struct upload_name *out, size_t max);
/* Removes at most max files of DIR/tmp last written before that time; gives how many. */
size_t upload_sweep(const char *dir, time_t before, size_t max);

#endif
