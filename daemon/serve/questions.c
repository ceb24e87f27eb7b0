/* The queue of questions and their workers. A question belongs to the loop's thread but while it runs. */
#include "daemon/serve/questions.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/text.h"
#include "daemon/clock.h"
#include "daemon/own_memory.h"
#include "daemon/serve/connection.h"

#define PATH_MAX_BYTES 4096

struct question {
        uv_work_t work;
        struct questions *questions;
        struct question *next;         /* in its list */
        struct connection *connection; /* NULL: dropped */
        const struct method *method;
        struct json_object *parameters;
        char *path;
        struct past past;
        bool is_running, is_export, is_being_sent;
        uint64_t offset; /* of the export */
        struct reply *reply;
        int result;
};

static void question_free(struct question *question)
{
        if (question->is_export)
                question->questions->exports--;
        if (question->past.export_fd >= 0)
                (void)close(question->past.export_fd);
        json_object_put(question->parameters);
        reply_unref(question->reply);
        free(question->past.incidents);
        free(question->path);
        free(question);
}

/* ---- on the worker ---- */

static int make_reply(struct question *question, struct answer *answer, bool continues)
{
        struct reply *reply = calloc(1, sizeof(*reply));
        if (!reply) {
                json_object_put(answer->parameters);
                return -ENOMEM;
        }
        reply->references = 1;
        reply->continues = continues;
        int r = varlink_reply_format(answer->error, answer->parameters, continues, &reply->bytes,
                                     &reply->length);
        if (r < 0)
                reply_unref(reply);
        else
                question->reply = reply;
        return r;
}

static void run(uv_work_t *work)
{
        struct question *question = work->data;
        struct answer answer = { 0 };
        int r = 0, continues = 0;
        if (question->past.export_fd < 0)
                r = question->method->run_past(&question->past, question->parameters, &answer);
        if (r == 0 && question->past.export_fd >= 0)
                continues = r = past_export_piece(question->past.export_fd, &question->offset, &answer);
        question->result = r < 0 ? r : make_reply(question, &answer, continues > 0);
        if (!continues) /* else there is more of the same to come */
                own_memory_give_back();
}

/* ---- on the loop's thread ---- */

static void unlink_question(struct question **list, const struct question *question)
{
        while (*list && *list != question)
                list = &(*list)->next;
        if (*list)
                *list = question->next;
}

static void begin_next(struct questions *questions);

static void on_done(uv_work_t *work, int status)
{
        struct question *question = work->data;
        struct questions *questions = question->questions;
        struct connection *connection = question->connection;
        (void)status; /* never cancelled by libuv */
        questions->running_count--;
        unlink_question(&questions->running, question);
        question->is_running = false;
        if (!connection) {
                question_free(question);
        } else {
                struct reply *reply = TAKE(question->reply);
                int result = question->result;
                question->is_being_sent = reply && reply->continues;
                if (!question->is_being_sent)
                        question_free(question);
                connection_answer(connection, reply, result);
        }
        begin_next(questions);
}

static void begin_next(struct questions *questions)
{
        while (questions->waiting && questions->running_count < QUESTIONS_AT_ONCE &&
               !questions->is_stopping) {
                struct question *question = questions->waiting;
                questions->waiting = question->next;
                question->next = questions->running;
                questions->running = question;
                question->is_running = true;
                questions->running_count++;
                (void)uv_queue_work(questions->loop, &question->work, run, on_done); /* cannot fail */
        }
}

static unsigned count_waiting(const struct questions *questions)
{
        unsigned count = 0;
        for (const struct question *q = questions->waiting; q; q = q->next)
                count++;
        return count;
}

static unsigned count_of_user(const struct questions *questions, uint32_t uid)
{
        unsigned count = 0;
        for (const struct question *q = questions->waiting; q; q = q->next)
                count += q->past.viewer.uid == uid;
        for (const struct question *q = questions->running; q; q = q->next)
                count += q->past.viewer.uid == uid;
        return count;
}

static int copy_incidents(struct past *past, const struct published *published)
{
        if (!published || published->incident_count == 0)
                return 0;
        size_t bytes = published->incident_count * sizeof(published->incidents[0]);
        past->incidents = malloc(bytes);
        if (!past->incidents)
                return -ENOMEM;
        memcpy(past->incidents, published->incidents, bytes);
        past->incident_count = published->incident_count;
        return 0;
}

static int make_question(struct questions *questions, const struct question_call *call,
                         struct question **ret_question)
{
        struct question *question = calloc(1, sizeof(*question));
        if (!question)
                return -ENOMEM;
        question->questions = questions;
        question->work.data = question;
        question->connection = call->connection;
        question->method = call->method;
        question->path = strdup(call->path);
        question->past =
                (struct past){ .path = question->path,
                               .store = call->store,
                               .config = *call->config,
                               .viewer = call->viewer,
                               .now_usec = clock_now(&clock_real).realtime_usec,
                               .started_usec = call->published ? call->published->self.started_usec : 0,
                               .export_fd = -1 };
        if (call->published)
                memcpy(question->past.boot_id, call->published->machine.boot_id,
                       sizeof(question->past.boot_id));
        int r = question->path ? 0 : -ENOMEM;
        if (r == 0 && call->parameters)
                r = json_object_deep_copy(call->parameters, &question->parameters, NULL) < 0 ? -ENOMEM : 0;
        if (r == 0 && call->method->needs_incidents)
                r = copy_incidents(&question->past, call->published);
        if (r < 0) {
                question_free(question);
                return r;
        }
        *ret_question = question;
        return 0;
}

int questions_ask(struct questions *questions, const struct question_call *call,
                  struct question **ret_question)
{
        bool is_export = call->method->run_past == past_export;
        if (call->method->needs_incidents && !call->published)
                return -EAGAIN;
        if (questions->is_stopping || count_waiting(questions) >= QUESTIONS_WAITING_MAX ||
            (!call->viewer.sees_all && count_of_user(questions, call->viewer.uid) >= QUESTIONS_PER_UID_MAX) ||
            (is_export && questions->exports >= EXPORTS_MAX))
                return -EBUSY;
        struct question *question;
        int r = make_question(questions, call, &question);
        if (r < 0)
                return r;
        question->is_export = is_export;
        questions->exports += is_export;
        struct question **last = &questions->waiting;
        while (*last)
                last = &(*last)->next;
        *last = question;
        *ret_question = question;
        begin_next(questions);
        return 0;
}

/* Pieces come before new questions: they are short, and somebody is in the middle of something. */
void question_continue(struct question *question)
{
        struct questions *questions = question->questions;
        question->is_being_sent = false;
        question->next = questions->waiting;
        questions->waiting = question;
        begin_next(questions);
}

void question_drop(struct question *question)
{
        if (!question)
                return;
        question->connection = NULL;
        if (question->is_running) {
                atomic_store(&question->past.is_cancelled, true); /* freed when the worker is back */
                return;
        }
        unlink_question(&question->questions->waiting, question);
        question_free(question);
}

void questions_stop(struct questions *questions)
{
        questions->is_stopping = true;
        for (struct question *q = questions->running; q; q = q->next)
                atomic_store(&q->past.is_cancelled, true);
}

void questions_clean(const char *path)
{
        char directory[PATH_MAX_BYTES], name[PATH_MAX_BYTES + 256];
        const char *slash = strrchr(path, '/');
        if (!slash || slash == path)
                return;
        text_format(directory, sizeof(directory), "%.*s", (int)(slash - path), path);
        CLEANUP_CLOSEDIR DIR *listing = opendir(directory);
        const struct dirent *entry;
        while (listing && (entry = readdir(listing))) {
                if (strncmp(entry->d_name, EXPORT_NAME_PREFIX, strlen(EXPORT_NAME_PREFIX)) != 0 ||
                    !strstr(entry->d_name, ".slowd"))
                        continue;
                text_format(name, sizeof(name), "%s/%s", directory, entry->d_name);
                (void)unlink(name); /* else it stays */
        }
}
