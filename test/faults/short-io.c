// Preloaded into the broker: file writes and reads come short again and again, as POSIX lets them. What is left to do is the
// caller's affair. Files alone: sockets are written with other calls.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_uint calls;
static size_t shortened(size_t count) {
  unsigned n = atomic_fetch_add(&calls, 1);
  return n % 3 == 0 || count < 2 ? count : 1 + (n * 2654435761u) % (count - 1);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) { return REAL(pwrite64)(fd, bytes, shortened(count), at); }
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) { return pwrite64(fd, bytes, count, at); }
ssize_t pread64(int fd, void *bytes, size_t count, off64_t at) { return REAL(pread64)(fd, bytes, shortened(count), at); }
ssize_t pread(int fd, void *bytes, size_t count, off_t at) { return pread64(fd, bytes, count, at); }

/** Some of the vectors, or a part of the first. */
ssize_t pwritev64(int fd, const struct iovec *vectors, int count, off64_t at) {
  if (count > 1) return REAL(pwritev64)(fd, vectors, (int)shortened((size_t)count), at);
  return pwrite64(fd, vectors[0].iov_base, vectors[0].iov_len, at);
}
ssize_t pwritev(int fd, const struct iovec *vectors, int count, off_t at) { return pwritev64(fd, vectors, count, at); }
