/* slowd.conf: whatever it holds, the result is within its ranges or there is one printable sentence. */
#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct config config;
        char error[512];
        config_defaults(&config);
        int r = config_parse("f", (const char *)data, size, &config, error, sizeof(error));
        if (r < 0) {
                assert(strncmp(error, "f:", 2) == 0 && strlen(error) > 4);
                for (const char *at = error; *at; at++)
                        assert((unsigned char)*at >= ' ');
                return 0;
        }
        assert(error[0] == '\0');
        assert(config.interval_usec >= INTERVAL_MIN_USEC && config.interval_usec <= INTERVAL_MAX_USEC);
        for (size_t i = 0; checks[i]; i++) {
                for (size_t j = 0; checks[i]->parameters[j].key; j++) {
                        const struct check_parameter *parameter = &checks[i]->parameters[j];
                        assert(config.parameters[i][j] >= parameter->minimum &&
                               config.parameters[i][j] <= parameter->maximum);
                }
        }
        return 0;
}
