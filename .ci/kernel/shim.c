/*
 * A library to be loaded before the C library: of every thousand calls it interrupts some, cuts some
 * transfers of stream sockets short, and refuses some that want something new. Which ones follows from a seed
 * and from the order of the calls.
 *
 *   SHIM_SEED     the seed
 *   SHIM_EINTR    of a thousand reads, writes, accepts and waits, how many are interrupted
 *   SHIM_SHORT    of a thousand transfers, how many are cut to a part of their length
 *   SHIM_REFUSE   of a thousand sockets, accepts, registrations and threads, how many are refused
 *
 * Nothing is refused that the kernel would not refuse; connects are not interrupted, since an interrupted
 * connect goes on in the kernel, and one that was never begun does not.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_ulong calls;

static unsigned long setting(const char *name) {
  const char *text = getenv(name);
  return text ? strtoul(text, NULL, 10) : 0;
}

/* The next number of the sequence (splitmix64). */
static uint64_t draw(void) {
  static unsigned long seed;
  if (!seed) seed = setting("SHIM_SEED") * 2 + 1;
  uint64_t z = (seed + atomic_fetch_add(&calls, 1)) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

static int happens(const char *what) { return draw() % 1000 < setting(what); }

static int fails(const char *what, int error) {
  if (!happens(what)) return 0;
  errno = error;
  return 1;
}

static int is_stream(int fd) {
  int type = 0, before = errno;
  socklen_t length = sizeof type;
  int known = getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0;
  errno = before;
  return known && type == SOCK_STREAM;
}

/* How much of a transfer goes through. */
static size_t part(int fd, size_t length) {
  return length > 1 && is_stream(fd) && happens("SHIM_SHORT") ? 1 + draw() % (length - 1) : length;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define TRANSFER(name, data, ...)                                        \
  ssize_t name(int fd, data, size_t length, ##__VA_ARGS__)

TRANSFER(read, void *bytes) {
  if (fails("SHIM_EINTR", EINTR)) return -1;
  return REAL(read)(fd, bytes, part(fd, length));
}

TRANSFER(write, const void *bytes) {
  if (fails("SHIM_EINTR", EINTR)) return -1;
  return REAL(write)(fd, bytes, part(fd, length));
}

TRANSFER(recv, void *bytes, int flags) {
  if (fails("SHIM_EINTR", EINTR)) return -1;
  return REAL(recv)(fd, bytes, part(fd, length), flags);
}

/* What never waits is never interrupted: a signal's handler relies on that. */
TRANSFER(send, const void *bytes, int flags) {
  if (!(flags & MSG_DONTWAIT) && fails("SHIM_EINTR", EINTR)) return -1;
  return REAL(send)(fd, bytes, part(fd, length), flags);
}

/* Of several buffers only the first goes through. */
ssize_t readv(int fd, const struct iovec *bufs, int count) {
  if (fails("SHIM_EINTR", EINTR)) return -1;
  return REAL(readv)(fd, bufs, count > 1 && is_stream(fd) && happens("SHIM_SHORT") ? 1 : count);
}

ssize_t writev(int fd, const struct iovec *bufs, int count) {
  if (fails("SHIM_EINTR", EINTR)) return -1;
  return REAL(writev)(fd, bufs, count > 1 && is_stream(fd) && happens("SHIM_SHORT") ? 1 : count);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
  if (fails("SHIM_EINTR", EINTR) || fails("SHIM_REFUSE", EMFILE)) return -1;
  return REAL(accept4)(fd, address, length, flags);
}

int epoll_wait(int fd, struct epoll_event *events, int most, int timeout) {
  if (fails("SHIM_EINTR", EINTR)) return -1;
  return REAL(epoll_wait)(fd, events, most, timeout);
}

int epoll_ctl(int fd, int what, int source, struct epoll_event *event) {
  if (what == EPOLL_CTL_ADD && fails("SHIM_REFUSE", ENOSPC)) return -1;
  return REAL(epoll_ctl)(fd, what, source, event);
}

int socket(int domain, int type, int protocol) {
  if (fails("SHIM_REFUSE", EMFILE)) return -1;
  return REAL(socket)(domain, type, protocol);
}

int epoll_create1(int flags) {
  if (fails("SHIM_REFUSE", EMFILE)) return -1;
  return REAL(epoll_create1)(flags);
}

int eventfd(unsigned int value, int flags) {
  if (fails("SHIM_REFUSE", EMFILE)) return -1;
  return REAL(eventfd)(value, flags);
}

int timerfd_create(int clock, int flags) {
  if (fails("SHIM_REFUSE", EMFILE)) return -1;
  return REAL(timerfd_create)(clock, flags);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *argument) {
  return happens("SHIM_REFUSE") ? EAGAIN : REAL(pthread_create)(thread, attributes, start, argument);
}
