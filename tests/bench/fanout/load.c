/* The load of the fan-out benchmark: members of rooms, each with a WebSocket, all of them publishing in turn.
 *
 *   load port=N path=/where/%r/%m [rooms= members=]
 *
 * %r in the path is the room (from 0), %m the member (from 0, over all rooms). A text frame that a member sends
 * is expected at every member of its room, the sender included, as it was sent or inside something larger, several
 * to a frame or one: what counts is the stamp that each published text carries.
 *
 * Prints "ready" when all are connected. Then each line on its standard input is a measurement:
 *
 *   sat WINDOW WARMUP SECONDS    closed loop: WINDOW messages of each room are under way. One has arrived when every
 *                                member has it.
 *   rate RATE WARMUP SECONDS     open loop: RATE messages/s over all rooms, stamped with the time they were due.
 *                                Lateness is latency.
 *
 * and is answered by "measuring" and "measured" around the measured time (the caller looks at the server's CPU then)
 * and a line of JSON. Between measurements it holds the sockets and answers pings; it ends with its standard input.
 * It never sleeps while it measures: a client that has to be woken would make the server pay for it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000ll
#define TEXT_BYTES 300
#define STAMP "stamp:"
#define STAMP_DIGITS 16
#define NUMBER_DIGITS 8
#define RING 4096                /* messages of one room that may be under way */
#define BUCKETS 1000000          /* of 10 us */
#define BUCKET_NS 10000
#define READ_BYTES (1 << 20)
#define CONNECTING_AT_ONCE 64
#define CONNECT_LIMIT (60 * SECOND)
#define STALL (2 * SECOND)       /* nothing for so long: what is under way is lost */
#define SETTLE SECOND            /* between the last handshake and the first message; silence that ends a measurement */
#define DRAIN (5 * SECOND)

enum state { CONNECTING, OPEN, GONE };

struct member {
    int fd, room;
    enum state state;
    char *rest;                  /* the beginning of a frame whose end has not come */
    size_t rest_length;
};

struct room {
    uint32_t published;
    int under_way, next_publisher;
    int64_t due, heard_at;
    uint16_t arrived[RING];
};

static char path[256] = "/";
static int port, rooms = 1, members = 100;
static int window;               /* of this measurement, or */
static double rate;              /* messages/s over all rooms */

static struct member *all;
static struct room *room;
static int count, poller, open_members, gone, measuring;
/* of this measurement */
static uint64_t received, published, deliveries, frames, bytes;
static int stalls;
static int64_t heard_at;
static uint32_t latency[BUCKETS];
static char *buffer;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static void give_up(const char *why) {
    fprintf(stderr, "load: %s (%s)\n", why, strerror(errno));
    exit(1);
}

/* --- to the server ----------------------------------------------------------------------------------------- */

static void write_all(struct member *m, const char *data, size_t length) {
    while (length && m->state != GONE) {
        ssize_t n = send(m->fd, data, length, MSG_NOSIGNAL);
        if (n > 0) {
            data += n;
            length -= n;
        } else if (errno == EAGAIN) {
            struct pollfd wait = {m->fd, POLLOUT, 0};
            if (poll(&wait, 1, 1000) == 0) give_up("the server does not read");
        } else if (errno != EINTR) {
            return;              /* the poller will tell */
        }
    }
}

/* A client's frames are masked; a mask of zeros changes nothing. */
static void write_frame(struct member *m, int opcode, const char *data, size_t length) {
    char frame[TEXT_BYTES + 16] = {(char)(0x80 | opcode)};
    size_t head = 2;
    if (length < 126) {
        frame[1] = (char)(0x80 | length);
    } else {
        frame[1] = (char)(0x80 | 126), frame[2] = (char)(length >> 8), frame[3] = (char)length;
        head = 4;
    }
    memset(frame + head, 0, 4);
    memcpy(frame + head + 4, data, length);
    write_all(m, frame, head + 4 + length);
}

static void publish(int r, int64_t stamp) {
    struct room *to = &room[r];
    char text[TEXT_BYTES + 1];
    int n = snprintf(text, sizeof text,
                     "{\"msgType\":\"gift\",\"roomId\":%d,\"at\":\"" STAMP "%016" PRIx64 "%08" PRIx32
                     "\",\"fromUserId\":10001,\"toUserId\":10002,\"giftId\":101,\"amount\":1,\"totalTicket\":123456,\"name\":\"",
                     r, (uint64_t)stamp, to->published);
    memset(text + n, 'n', TEXT_BYTES - n);
    memcpy(text + TEXT_BYTES - 2, "\"}", 2);
    to->arrived[to->published++ % RING] = 0;
    to->under_way++;
    published++;
    write_frame(&all[r * members + to->next_publisher], 1, text, TEXT_BYTES);
    to->next_publisher = (to->next_publisher + 1) % members;
}

static void expand_path(char *out, size_t size, int m) {
    size_t n = 0;
    for (const char *p = path; *p && n + 12 < size; p++) {
        int number = p[0] == '%' && p[1] == 'r' ? m / members : p[0] == '%' && p[1] == 'm' ? m : -1;
        if (number < 0) out[n++] = *p;
        else n += sprintf(out + n, "%d", number), p++;
    }
    out[n] = 0;
}

static void start_connecting(int index) {
    struct member *m = &all[index];
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1;
    char where[400], request[700];
    m->room = index / members;
    m->state = CONNECTING;
    m->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (m->fd < 0 || connect(m->fd, (struct sockaddr *)&server, sizeof server)) give_up("cannot connect");
    setsockopt(m->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    fcntl(m->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event interest = {.events = EPOLLIN, .data.u32 = index};
    epoll_ctl(poller, EPOLL_CTL_ADD, m->fd, &interest);
    expand_path(where, sizeof where, index);
    int n = snprintf(request, sizeof request,
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n", where, port);
    write_all(m, request, n);
}

/* --- from the server --------------------------------------------------------------------------------------- */

static void has_gone(struct member *m) {
    if (m->state == CONNECTING) give_up("a handshake was refused");
    if (m->state == OPEN) gone++;
    m->state = GONE;
    close(m->fd);
}

static uint64_t hexadecimal(const char *digits, int n) {
    uint64_t value = 0;
    for (int i = 0; i < n; i++) value = value << 4 | (digits[i] <= '9' ? digits[i] - '0' : digits[i] - 'a' + 10);
    return value;
}

static void arrived(struct room *in, uint32_t number, int64_t took) {
    received++;
    if (measuring) {
        deliveries++;
        latency[took < 0 ? 0 : took / BUCKET_NS < BUCKETS ? took / BUCKET_NS : BUCKETS - 1]++;
    }
    if (in->published - number <= RING && ++in->arrived[number % RING] == members && in->under_way) in->under_way--;
}

static void find_stamps(struct member *m, const char *data, size_t length, int64_t at) {
    const char *end = data + length;
    while ((data = memmem(data, end - data, STAMP, strlen(STAMP)))) {
        data += strlen(STAMP);
        if (end - data < STAMP_DIGITS + NUMBER_DIGITS) return;
        arrived(&room[m->room], hexadecimal(data + STAMP_DIGITS, NUMBER_DIGITS), at - (int64_t)hexadecimal(data, STAMP_DIGITS));
        data += STAMP_DIGITS + NUMBER_DIGITS;
    }
    room[m->room].heard_at = heard_at = at;
}

/* The length of a whole frame at `data`, 0 while its end has not come. */
static size_t read_frame(struct member *m, const unsigned char *data, size_t length, int64_t at) {
    if (length < 2) return 0;
    size_t head = 2, size = data[1] & 127;
    int wide = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (length < head + wide) return 0;
    if (wide) size = 0;
    for (int i = 0; i < wide; i++) size = size << 8 | data[2 + i];
    head += wide;
    if (length < head + size) return 0;
    int opcode = data[0] & 15;
    if (opcode == 9) write_frame(m, 10, (const char *)data + head, size);
    else if (opcode == 8) has_gone(m);
    else if (measuring) frames++;
    if (opcode < 3) find_stamps(m, (const char *)data + head, size, at);
    return head + size;
}

static size_t finish_handshake(struct member *m, const char *data, size_t length) {
    const char *end = memmem(data, length, "\r\n\r\n", 4);
    if (!end) return 0;
    if (strncmp(data, "HTTP/1.1 101", 12)) give_up("a handshake was refused");
    m->state = OPEN;
    open_members++;
    return end + 4 - data;
}

static void read_member(struct member *m) {
    if (m->state == GONE) return;
    memcpy(buffer, m->rest, m->rest_length);
    ssize_t n = recv(m->fd, buffer + m->rest_length, READ_BYTES - m->rest_length, 0);
    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) has_gone(m);
        return;
    }
    if (measuring) bytes += n;
    int64_t at = now();
    size_t length = m->rest_length + n, done = 0, step = 1;
    while (step && done < length && m->state != GONE) {
        step = m->state == CONNECTING ? finish_handshake(m, buffer + done, length - done)
                                      : read_frame(m, (unsigned char *)buffer + done, length - done, at);
        done += step;
    }
    m->rest_length = length - done;
    if (m->rest_length == READ_BYTES) give_up("a frame is too long");
    if (m->rest_length) {
        m->rest = realloc(m->rest, m->rest_length);
        memcpy(m->rest, buffer + done, m->rest_length);
    }
}

static void read_members(int patience) {
    struct epoll_event ready[256];
    int n = epoll_wait(poller, ready, 256, patience);
    for (int i = 0; i < n; i++) read_member(&all[ready[i].data.u32]);
}

/* --- the measurement --------------------------------------------------------------------------------------- */

static void connect_all(void) {
    int64_t limit = now() + CONNECT_LIMIT;
    for (int started = 0; open_members < count;) {
        while (started < count && started - open_members < CONNECTING_AT_ONCE) start_connecting(started++);
        read_members(10);
        if (now() > limit) give_up("not all connected in time");
    }
    for (int64_t until = now() + SETTLE; now() < until;) read_members(10);
    puts("ready");
}

static void keep_under_way(struct room *r, int number, int64_t at) {
    if (r->under_way && at - r->heard_at > STALL) {
        stalls++;
        r->under_way = 0;
    }
    if (!r->under_way) r->heard_at = at;
    while (r->under_way < window) publish(number, now());
}

static void keep_the_rate(struct room *r, int number, int64_t at) {
    int64_t every = (int64_t)(SECOND * rooms / rate);
    for (; r->due <= at; r->due += every) publish(number, r->due);
}

static void drive(int64_t until) {
    void (*keep)(struct room *, int, int64_t) = window ? keep_under_way : keep_the_rate;
    for (int64_t at = now(); at < until; at = now()) {
        for (int r = 0; r < rooms; r++) keep(&room[r], r, at);
        read_members(0);
    }
}

static double quantile(double q) {
    uint64_t wanted = (uint64_t)(q * deliveries), seen = 0;
    for (int i = 0; i < BUCKETS; i++)
        if ((seen += latency[i]) > wanted) return (i + 0.5) * BUCKET_NS / 1e6;
    return 0;
}

static void measure(double warmup, double seconds) {
    received = published = deliveries = frames = bytes = stalls = 0;
    memset(latency, 0, sizeof latency);
    for (int r = 0; r < rooms; r++) room[r].under_way = 0, room[r].due = now() + (int64_t)(rate ? SECOND / rate * r : 0);
    drive(now() + (int64_t)(warmup * SECOND));
    measuring = 1;
    puts("measuring");
    int64_t began = now();
    drive(began + (int64_t)(seconds * SECOND));
    double took = (now() - began) / 1e9;
    measuring = 0;
    puts("measured");
    int64_t ended = now();
    heard_at = ended;
    while (received < published * members && now() - heard_at < SETTLE && now() - ended < DRAIN) read_members(10);
    printf("{\"deliveries\": %" PRIu64 ", \"seconds\": %.3f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"frames\": %" PRIu64
           ", \"bytes\": %" PRIu64 ", \"published\": %" PRIu64 ", \"lost\": %" PRId64 ", \"stalls\": %d, \"gone\": %d}\n",
           deliveries, took, quantile(0.5), quantile(0.99), frames, bytes, published,
           (int64_t)(published * members - received), stalls, gone);
}

/* Serves the sockets until there is a line on standard input; false when that has ended. */
static int read_line(char *line, size_t size) {
    for (size_t n = 0; n + 1 < size;) {
        struct pollfd either[2] = {{0, POLLIN, 0}, {poller, POLLIN, 0}};
        poll(either, 2, -1);
        if (either[1].revents) read_members(0);
        if (!either[0].revents) continue;
        if (read(0, line + n, 1) <= 0) return 0;
        if (line[n++] == '\n') return line[n] = 0, 1;
    }
    return 0;
}

static void obey(const char *line) {
    double warmup, seconds;
    window = 0, rate = 0;
    if (sscanf(line, "sat %d %lf %lf", &window, &warmup, &seconds) == 3 ||
        sscanf(line, "rate %lf %lf %lf", &rate, &warmup, &seconds) == 3)
        measure(warmup, seconds);
    else
        give_up(line);
}

static void read_options(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (!value) give_up("options are name=value");
        *value++ = 0;
        if (!strcmp(argv[i], "path")) snprintf(path, sizeof path, "%s", value);
        else if (!strcmp(argv[i], "port")) port = atoi(value);
        else if (!strcmp(argv[i], "rooms")) rooms = atoi(value);
        else if (!strcmp(argv[i], "members")) members = atoi(value);
        else give_up(argv[i]);
    }
}

int main(int argc, char **argv) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    setvbuf(stdout, NULL, _IOLBF, 0);
    read_options(argc, argv);
    count = rooms * members;
    all = calloc(count, sizeof *all);
    room = calloc(rooms, sizeof *room);
    buffer = malloc(READ_BYTES);
    poller = epoll_create1(0);
    if (!all || !room || !buffer || poller < 0) give_up("no memory");
    connect_all();
    for (char line[100]; read_line(line, sizeof line);) obey(line);
    return 0;
}
