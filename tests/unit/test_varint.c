/* Bytes that lie about their length, then numbers of every length. */
#include "daemon/history/varint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void rejects_what_is_cut_or_too_long(void **state)
{
        (void)state;
        struct reader empty = reader_of("", 0);
        assert_int_equal(reader_varint(&empty), 0);
        assert_true(empty.failed);

        struct reader cut = reader_of("\x80\x80", 2);
        assert_int_equal(reader_varint(&cut), 0);
        assert_true(cut.failed);
        assert_int_equal(reader_left(&cut), 0);

        struct reader eleven = reader_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
        (void)reader_varint(&eleven);
        assert_true(eleven.failed);
        struct reader over = reader_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10);
        (void)reader_varint(&over);
        assert_true(over.failed);

        struct reader three = reader_of("abc", 3);
        assert_null(reader_take(&three, 4));
        assert_true(three.failed);
        struct reader short_number = reader_of("abc", 3);
        assert_int_equal(reader_u32(&short_number), 0);
        assert_true(short_number.failed);
}

static void a_buffer_over_its_cap_fails_and_stays_failed(void **state)
{
        (void)state;
        static char chunk[1 << 20];
        struct bytes bytes = { 0 };
        for (size_t i = 0; i < BYTES_MAX / sizeof(chunk); i++)
                bytes_put(&bytes, chunk, sizeof(chunk));
        assert_false(bytes.failed);
        bytes_put(&bytes, "x", 1);
        assert_true(bytes.failed);
        size_t length = bytes.length;
        bytes_put_varint(&bytes, 1);
        assert_int_equal(bytes.length, length);
        bytes_clear(&bytes);
        assert_false(bytes.failed);
        bytes_done(&bytes);
}

static void numbers_come_back(void **state)
{
        (void)state;
        struct bytes bytes = { 0 };
        for (unsigned shift = 0; shift < 64; shift++)
                for (uint64_t near = 0; near < 3; near++) {
                        uint64_t value = (UINT64_C(1) << shift) + near - 1;
                        bytes_put_varint(&bytes, value);
                        bytes_put_delta(&bytes, value);
                        bytes_put_delta(&bytes, 0 - value);
                }
        bytes_put_u32(&bytes, 0xdeadbeef);
        bytes_put_u64(&bytes, UINT64_MAX - 7);
        struct reader reader = reader_of(bytes.data, bytes.length);
        for (unsigned shift = 0; shift < 64; shift++)
                for (uint64_t near = 0; near < 3; near++) {
                        uint64_t value = (UINT64_C(1) << shift) + near - 1;
                        assert_true(reader_varint(&reader) == value);
                        assert_true(reader_delta(&reader) == value);
                        assert_true(reader_delta(&reader) == 0 - value);
                }
        assert_true(reader_u32(&reader) == 0xdeadbeef);
        assert_true(reader_u64(&reader) == UINT64_MAX - 7);
        assert_int_equal(reader_left(&reader), 0);
        assert_false(reader.failed);
        bytes_done(&bytes);
}

static void small_differences_take_one_byte(void **state)
{
        (void)state;
        struct bytes bytes = { 0 };
        bytes_put_delta(&bytes, 63);
        bytes_put_delta(&bytes, (uint64_t)-64);
        assert_int_equal(bytes.length, 2);
        bytes_put_delta(&bytes, 64);
        assert_int_equal(bytes.length, 4);
        bytes_done(&bytes);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(rejects_what_is_cut_or_too_long),
                cmocka_unit_test(a_buffer_over_its_cap_fails_and_stays_failed),
                cmocka_unit_test(numbers_come_back),
                cmocka_unit_test(small_differences_take_one_byte),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
