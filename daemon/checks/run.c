/* Running the table of checks. */
#include "daemon/checks/run.h"

#include <string.h>

#include "common/text.h"

size_t checks_run(const struct history *history, const struct config *config,
                  bool was_found[static CHECKS_MAX], struct finding ret_findings[static CHECKS_MAX])
{
        size_t count = 0;
        for (; checks[count]; count++) {
                struct finding *finding = &ret_findings[count];
                memset(finding, 0, sizeof(*finding));
                finding->check = checks[count]->name;
                if (!config->check_enabled[count]) {
                        finding->verdict = VERDICT_UNKNOWN;
                        (void)span_copy(SPAN("switched off in slowd.conf"), finding->summary,
                                        sizeof(finding->summary));
                } else {
                        checks[count]->run(
                                &(struct check_context){
                                        .history = history,
                                        .parameters = config->parameters[count],
                                        .was_found = was_found[count],
                                        .workers = &config->workers,
                                },
                                finding);
                }
                was_found[count] = finding->verdict == VERDICT_FOUND;
        }
        return count;
}
