/* A read buffer that grows up to a cap. */
#include "daemon/sample/buffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

int buffer_init(struct buffer *buffer)
{
        *buffer = (struct buffer){ .data = malloc(BUFFER_START), .size = BUFFER_START };
        return buffer->data ? 0 : -ENOMEM;
}

void buffer_done(struct buffer *buffer)
{
        free(buffer->data);
        *buffer = (struct buffer){ 0 };
}

int buffer_reread(struct buffer *buffer, int fd, struct span *ret_text)
{
        for (;;) {
                ssize_t length = root_reread(fd, buffer->data, buffer->size);
                if (length >= 0) {
                        *ret_text = (struct span){ buffer->data, (size_t)length };
                        return 0;
                }
                if (length != -EFBIG)
                        return (int)length;
                char *grown = buffer->size < BUFFER_MAX ? realloc(buffer->data, buffer->size * 2) : NULL;
                if (!grown)
                        break;
                buffer->data = grown;
                buffer->size *= 2;
        }
        const char *end = memrchr(buffer->data, '\n', buffer->size - 1);
        *ret_text = (struct span){ buffer->data, end ? (size_t)(end - buffer->data) + 1 : 0 };
        return -EFBIG;
}

int buffer_read(struct buffer *buffer, const struct root *root, const char *path, struct span *ret_text)
{
        CLEANUP_CLOSE int fd = root_open(root, path);
        return fd < 0 ? fd : buffer_reread(buffer, fd, ret_text);
}
