/* The floor of the fan-out benchmark: rooms of WebSockets on the bare machine, and nothing else. `floor PORT`
 *
 * A frame that arrives on a socket of /room/N is written to every socket of room N; what the sockets bring in one turn
 * of the loop goes out in one write each. It takes the load's own handshake (its key never changes) and whole frames of
 * less than 64 KB only, and waits where the buffer of a socket is full. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS 8192
#define ROOMS 256
#define BATCH (1 << 18)
#define HELLO "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
              "Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n"

static struct { int members[SOCKETS], count; unsigned char *batch; size_t length; } rooms[ROOMS];
static int room_of[SOCKETS]; /* by file descriptor; -1 before the handshake */
static int poller;

static void write_all(int fd, const void *data, size_t length) {
    for (ssize_t n; length; data = (const char *)data + n, length -= n) {
        while ((n = send(fd, data, length, MSG_NOSIGNAL)) < 0) {
            struct pollfd wait = {fd, POLLOUT, 0};
            if (poll(&wait, 1, 1000) != 1 || wait.revents & (POLLERR | POLLHUP)) return;
        }
    }
}

static void flush_room(int r) {
    for (int i = 0; i < rooms[r].count; i++) write_all(rooms[r].members[i], rooms[r].batch, rooms[r].length);
    rooms[r].length = 0;
}

static void take_frame(int r, const unsigned char *mask, const unsigned char *data, size_t size) {
    if (rooms[r].length + size + 4 > BATCH) flush_room(r);
    unsigned char *out = rooms[r].batch + rooms[r].length;
    *out++ = 0x81;
    if (size < 126) *out++ = size;
    else *out++ = 126, *out++ = size >> 8, *out++ = size;
    for (size_t i = 0; i < size; i++) out[i] = data[i] ^ mask[i & 3];
    rooms[r].length = out + size - rooms[r].batch;
}

static void enter(int fd, char *request) {
    char *place = strstr(request, "/room/");
    int r = place ? atoi(place + 6) % ROOMS : 0;
    if (!rooms[r].batch) rooms[r].batch = malloc(BATCH);
    room_of[fd] = r;
    rooms[r].members[rooms[r].count++] = fd;
    write_all(fd, HELLO, strlen(HELLO));
}

static void leave(int fd) {
    int r = room_of[fd];
    for (int i = 0; r >= 0 && i < rooms[r].count; i++)
        if (rooms[r].members[i] == fd) rooms[r].members[i] = rooms[r].members[--rooms[r].count];
    close(fd);
}

static void read_socket(int fd) {
    static unsigned char data[1 << 16];
    ssize_t n = recv(fd, data, sizeof data - 1, 0);
    if (n <= 0) {
        leave(fd);
        return;
    }
    data[n] = 0;
    if (room_of[fd] < 0) {
        enter(fd, (char *)data);
        return;
    }
    for (ssize_t at = 0, size; at + 6 <= n; at += size) {
        size_t head = 2, length = data[at + 1] & 127;
        if (length == 126) length = data[at + 2] << 8 | data[at + 3], head = 4;
        size = head + 4 + length;
        if (at + size <= n && (data[at] & 15) == 1) take_frame(room_of[fd], data + at + head, data + at + head + 4, length);
    }
}

static void welcome(int listener) {
    int yes = 1, fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0 || fd >= SOCKETS) return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    room_of[fd] = -1;
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
}

int main(int argc, char **argv) {
    struct rlimit files = {SOCKETS, SOCKETS};
    setrlimit(RLIMIT_NOFILE, &files);
    int yes = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 4096)) return 1;
    poller = epoll_create1(0);
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
    for (;;) {
        struct epoll_event ready[256];
        int n = epoll_wait(poller, ready, 256, -1);
        for (int i = 0; i < n; i++) {
            if (ready[i].data.fd == listener) welcome(listener);
            else read_socket(ready[i].data.fd);
        }
        for (int r = 0; r < ROOMS; r++) if (rooms[r].length) flush_room(r);
    }
}
