// SPDX-License-Identifier: MIT
/*
 * metric_event: runs of labels against runs of alarms, delays, alarms a day; and
 * the change-point score against values that another program computed.
 */
#include "models/train/metric.h"

#include "test/test.h"

static void set(uint8_t *v, const char *text)
{
	for (unsigned i = 0; text[i]; i++)
		v[i] = text[i] == '1';
}

static void add(struct metric_events *e, const char *label_text, const char *alarm_text)
{
	unsigned rows = (unsigned)strlen(label_text);
	uint8_t label[64], alarm[64];

	CHECK_EQ(strlen(alarm_text), rows);
	set(label, label_text);
	set(alarm, alarm_text);
	CHECK_EQ(metric_events_add(e, label, alarm, rows), 0);
}

static void events(void)
{
	struct metric_events e = { 0 };

	CHECK(isnan(metric_event_recall(&e)) && isnan(metric_event_precision(&e)));
	CHECK(isnan(metric_delay_rows(&e)) && isnan(metric_false_alarms_day(&e, 1)));
	/* At once, at once, never; an alarm that begins before its event is true. */
	add(&e, "1100011110011",
	    "1010110110000");
	CHECK_EQ(e.events, 3);
	CHECK_EQ(e.met, 2);
	CHECK_EQ(e.alarms, 4);
	CHECK_EQ(e.true_alarms, 3);
	CHECK_EQ(e.normal_rows, 5);
	CHECK_NEAR(metric_delay_rows(&e), 0, 0);
	/* Runs do not go on from one file to the next. */
	add(&e, "1111000", "0001011");
	CHECK_EQ(e.events, 4);
	CHECK_EQ(e.met, 3);
	CHECK_EQ(e.alarms, 6);
	CHECK_EQ(e.true_alarms, 4);
	CHECK_NEAR(metric_event_recall(&e), .75, 1e-12);
	CHECK_NEAR(metric_event_precision(&e), 4 / 6., 1e-12);
	CHECK_NEAR(metric_delay_rows(&e), 0, 0);
	add(&e, "111", "001");
	CHECK_NEAR(metric_delay_rows(&e), 1, 1e-12);
	CHECK_NEAR(metric_false_alarms_day(&e, .5), 2 / (8 / .5 / 86400), 1e-6);
	metric_events_free(&e);
}

static void set_at(uint8_t *v, const unsigned *at, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		v[at[i]] = 1;
}

/* Windows that overlap and one cut by the end, two detections in one, some in none. */
static void change_points(void)
{
	static const unsigned point[] = { 50, 60, 200, 400, 590 };
	static const unsigned alarm[] = { 10, 55, 56, 75, 99, 210, 239, 595 };
	static const unsigned point2[] = { 0, 150 }, alarm2[] = { 30, 60, 151, 299 };
	uint8_t truth[600] = { 0 }, said[600] = { 0 };
	struct metric_change c = { 0 };
	double time[600];

	CHECK(isnan(metric_change_score(&c, METRIC_STANDARD)));
	for (int i = 0; i < 600; i++)
		time[i] = i * 1.5;
	set_at(truth, point, 5);
	set_at(said, alarm, 8);
	CHECK_EQ(metric_change_add(&c, time, truth, said, 600, 60), 0);
	CHECK_EQ(c.points, 5);
	CHECK_EQ(c.missed, 1);
	CHECK_EQ(c.false_alarms, 1);
	CHECK_NEAR(metric_change_score(&c, METRIC_STANDARD), 65.5221344887443, 1e-9);
	CHECK_NEAR(metric_change_score(&c, METRIC_LOW_FP), 63.096400068709954, 1e-9);
	CHECK_NEAR(metric_change_score(&c, METRIC_LOW_FN), 70.34808965916287, 1e-9);
	memset(truth, 0, sizeof(truth));
	memset(said, 0, sizeof(said));
	for (int i = 0; i < 300; i++)
		time[i] = i;
	set_at(truth, point2, 2);
	set_at(said, alarm2, 4);
	CHECK_EQ(metric_change_add(&c, time, truth, said, 300, 60), 0);
	CHECK_EQ(c.false_alarms, 2);
	CHECK_NEAR(metric_change_score(&c, METRIC_STANDARD), 70.57997425949162, 1e-9);
	CHECK_NEAR(metric_change_score(&c, METRIC_LOW_FP), 67.66447621313493, 1e-9);
	CHECK_NEAR(metric_change_score(&c, METRIC_LOW_FN), 75.62474474442298, 1e-9);
}

int main(void)
{
	events();
	change_points();
	return 0;
}
