/* libFuzzer's entry. BT_FUZZ names the target; without it the program lists them. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *name = getenv("BT_FUZZ");
    (void)argc;
    (void)argv;
    if (!name) {
        fuzz_list();
        exit(0);
    }
    if (!fuzz_named(name)) {
        fprintf(stderr, "BT_FUZZ=%s: no such target; without BT_FUZZ they are listed\n", name);
        exit(2);
    }
    fuzz_begin(fuzz_named(name));
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fuzz_feed(data, n);
    return 0;
}
