/* One message to many sockets: what `sending.py` does when it is not compiled, system call by system
 * call, and nothing else. Rules, order and bookkeeping stay in Python.
 *
 * which, taken: for each socket that did not take the whole message, its place in fds, and how many
 * bytes it took, or -1 if the connection is gone. Both have room for count entries. Returns how
 * many there are.
 */

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

int softclose_send_all(const int *fds, int count, const char *data, size_t size, int *which,
                       long *taken) {
    int partly = 0;
    for (int at = 0; at < count; at++) {
        ssize_t sent;
        do {
            sent = send(fds[at], data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        } while (sent < 0 && errno == EINTR);
        if (sent == (ssize_t)size) continue;
        which[partly] = at;
        taken[partly++] = sent >= 0 ? sent : errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    }
    return partly;
}
