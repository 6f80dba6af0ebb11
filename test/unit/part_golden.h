/* SPDX-License-Identifier: MIT */
/* part_golden: the examples of the data sheets, as bytes in and values out, for part_library.c. */
#ifndef SONDE_TEST_PART_GOLDEN_H
#define SONDE_TEST_PART_GOLDEN_H

#include <stdbool.h>

#include "agent/frame.h"

/* fault: what is expected instead of a value. outside: of the range that the part can measure. */
static const struct golden {
	const char *part, *channel, *in;
	double value, eps;
	int fault;
	bool outside;
} golden[] = {
	/* SNIS153B, "Temperature Data Format"; the low 7 bits are undefined. */
	{ "lm75", "temperature", "7d 00", 125 },
	{ "lm75", "temperature", "19 00", 25 },
	{ "lm75", "temperature", "19 7f", 25 },
	{ "lm75", "temperature", "00 80", 0.5 },
	{ "lm75", "temperature", "00 00", 0 },
	{ "lm75", "temperature", "ff 80", -0.5 },
	{ "lm75", "temperature", "e7 00", -25 },
	{ "lm75", "temperature", "c9 00", -55 },
	/* SBOS397C, Table 5 */
	{ "tmp102", "temperature", "7f f0", 127.9375 },
	{ "tmp102", "temperature", "64 00", 100 },
	{ "tmp102", "temperature", "50 00", 80 },
	{ "tmp102", "temperature", "4b 00", 75 },
	{ "tmp102", "temperature", "32 00", 50 },
	{ "tmp102", "temperature", "19 00", 25 },
	{ "tmp102", "temperature", "00 40", 0.25 },
	{ "tmp102", "temperature", "00 00", 0 },
	{ "tmp102", "temperature", "ff c0", -0.25 },
	{ "tmp102", "temperature", "e7 00", -25 },
	{ "tmp102", "temperature", "c9 00", -55 },
	/* SLLS648D, Table 5 */
	{ "tmp105", "temperature", "7f f0", 127.9375 },
	{ "tmp105", "temperature", "19 00", 25 },
	{ "tmp105", "temperature", "00 40", 0.25 },
	{ "tmp105", "temperature", "ff c0", -0.25 },
	{ "tmp105", "temperature", "e7 00", -25 },
	{ "tmp105", "temperature", "c9 00", -55 },
	/* SNOSD82D, Table 7-1; 8000h is "no conversion yet" */
	{ "tmp117", "temperature", "80 00", .fault = FAULT_FORMAT },
	{ "tmp117", "temperature", "f3 80", -25 },
	{ "tmp117", "temperature", "ff f0", -0.125 },
	{ "tmp117", "temperature", "ff ff", -0.0078125 },
	{ "tmp117", "temperature", "00 00", 0 },
	{ "tmp117", "temperature", "00 01", 0.0078125 },
	{ "tmp117", "temperature", "00 10", 0.125 },
	{ "tmp117", "temperature", "00 80", 1 },
	{ "tmp117", "temperature", "0c 80", 25 },
	{ "tmp117", "temperature", "32 00", 100 },
	/* DS25095A, Register 5-4: three alarm flags, the sign, 8 bits and 4 of the fraction */
	{ "mcp9808", "temperature", "c1 94", 25.25 },
	{ "mcp9808", "temperature", "01 94", 25.25 },
	{ "mcp9808", "temperature", "e1 94", 25.25 },
	{ "mcp9808", "temperature", "00 00", 0 },
	{ "mcp9808", "temperature", "00 01", 0.0625 },
	{ "mcp9808", "temperature", "1f ff", -0.0625 },
	{ "mcp9808", "temperature", "3e 70", -25 },
	{ "mcp9808", "temperature", "1d 80", -40 },
	{ "mcp9808", "temperature", "c7 d0", 125 },
	/* Sections 4.12 and 4.13: the CRC of BEEFh is 92h; -45 and 130 degrees at the ends */
	{ "sht3x", "temperature", "be ef 92 | be ef 92", -45 + 175 * 48879 / 65535.0, 1e-9 },
	{ "sht3x", "humidity", "be ef 92 | be ef 92", 100 * 48879 / 65535.0, 1e-9 },
	{ "sht3x", "temperature", "00 00 81 | be ef 92", -45, 1e-9, .outside = true },
	{ "sht3x", "temperature", "ff ff ac | be ef 92", 130, 1e-9, .outside = true },
	{ "sht3x", "humidity", "be ef 92 | 00 00 81", 0, 1e-9 },
	{ "sht3x", "humidity", "be ef 92 | ff ff ac", 100, 1e-9 },
	{ "sht3x", "temperature", "be ee 92 | be ef 92", .fault = FAULT_CRC },
	{ "sht3x", "humidity", "be ee 92 | be ef 92", 100 * 48879 / 65535.0, 1e-9 },
	{ "sht3x", "humidity", "be ef 92 | be ef 93", .fault = FAULT_CRC },
	{ "sht3x", "temperature", "ff ff ff | ff ff ff", .fault = FAULT_CRC },
	{ "sht3x", "temperature", "00 00 00 | 00 00 00", .fault = FAULT_CRC },
	{ "sht4x", "temperature", "be ef 92 | be ef 92", -45 + 175 * 48879 / 65535.0, 1e-9 },
	{ "sht4x", "humidity", "be ef 92 | be ef 92", -6 + 125 * 48879 / 65535.0, 1e-9 },
	{ "sht4x", "humidity", "be ef 92 | 00 00 81", -6, 1e-9 },
	{ "sht4x", "humidity", "be ef 92 | ff ff ac", 119, 1e-9 },
	{ "sht4x", "humidity", "be ef 92 | ff ff ad", .fault = FAULT_CRC },
	/* 2009.04 Rev. B, page 10: about 28067 lx */
	{ "bh1750", "light", "83 90", 28066.667, 1e-3 },
	{ "bh1750", "light", "00 00", 0 },
	{ "bh1750", "light", "ff ff", 54612.5, 1e-6 },
	/* SBOS448F, Table 3: 20 mV at the shunt, 11.98 V; conversion ready or not */
	{ "ina219", "current", "07 d0 | 5d 98", 0.2, 1e-12 },
	{ "ina219", "voltage", "07 d0 | 5d 98", 11.98, 1e-12 },
	{ "ina219", "voltage", "07 d0 | 5d 9a", 11.98, 1e-12 },
	/* SBOS448G, 8.6.3.1 at ±320 mV: 7D00h and 8300h; 8.6.3.2 at 32 V: 1F40h above 3 bits */
	{ "ina219", "current", "7d 00 | 00 00", 3.2, 1e-12 },
	{ "ina219", "current", "83 00 | 00 00", -3.2, 1e-12 },
	{ "ina219", "current", "ff ff | 00 00", -0.0001, 1e-12 },
	{ "ina219", "voltage", "00 00 | fa 00", 32, 1e-12 },
	/* SBOS547B, 7.1.2 and 7.1.3: 80 mV is 7D00h, -80 mV 8300h; 1.25 mV a step */
	{ "ina226", "current", "7d 00 | 00 00", 0.8, 1e-12 },
	{ "ina226", "current", "83 00 | 00 00", -0.8, 1e-12 },
	{ "ina226", "voltage", "00 00 | 25 70", 11.98, 1e-3 },
	{ "ina226", "voltage", "00 00 | 7f ff", 40.95875, 1e-9, .outside = true },
	/* SBAS444, "Data Format": full scale, one step, none, and the same below zero */
	{ "ads1115", "a0", "7f ff | 00 00 | 00 00 | 00 00", 4.096 * 32767 / 32768, 1e-12 },
	{ "ads1115", "a1", "7f ff | 00 01 | 00 00 | 00 00", 0.000125, 1e-12 },
	{ "ads1115", "a2", "7f ff | 00 01 | ff fe | 00 00", -0.00025, 1e-12 },
	{ "ads1115", "a3", "7f ff | 00 01 | ff ff | 80 00", -4.096, 1e-12 },
	/* RM-MPU-6000A: 16384 a g, 131 a degree a second, 340 a degree and 36.53 at 0 */
	{ "mpu6050", "accel_x", "40 00 c0 00 00 01 00 00 00 83 ff 7d 80 00 | 01", 9.80665, 1e-9 },
	{ "mpu6050", "accel_y", "40 00 c0 00 00 01 00 00 00 83 ff 7d 80 00 | 01", -9.80665, 1e-9 },
	{ "mpu6050", "accel_z", "40 00 c0 00 00 01 00 00 00 83 ff 7d 80 00 | 01", 9.80665 / 16384,
	  1e-12 },
	{ "mpu6050", "temperature", "40 00 c0 00 00 01 00 00 00 83 ff 7d 80 00 | 01", 36.53, 1e-9 },
	{ "mpu6050", "temperature", "40 00 c0 00 00 01 f3 5c 00 83 ff 7d 80 00 | 01",
	  -3236 / 340.0 + 36.53, 1e-9 },
	{ "mpu6050", "gyro_x", "40 00 c0 00 00 01 00 00 00 83 ff 7d 80 00 | 01", 1, 1e-9 },
	{ "mpu6050", "gyro_y", "40 00 c0 00 00 01 00 00 00 83 ff 7d 80 00 | 01", -1, 1e-9 },
	{ "mpu6050", "gyro_z", "40 00 c0 00 00 01 00 00 00 83 ff 7d 80 00 | 01", -32768 / 131.0,
	  1e-9 },
	{ "mpu6050", "accel_x", "00 00 00 00 00 00 00 00 00 00 00 00 00 00 | 40",
	  .fault = FAULT_FORMAT },
	{ "mpu6050", "temperature", "00 00 00 00 00 00 00 00 00 00 00 00 00 00 | 40",
	  .fault = FAULT_FORMAT },
	/* Table 1: 256 steps a g in full resolution, low byte first; standby is a fault */
	{ "adxl345", "x", "08 00 00 00 0b 00 01 00 ff 01 00", 9.80665, 1e-9 },
	{ "adxl345", "y", "08 00 00 00 0b 00 01 00 ff 01 00", -9.80665, 1e-9 },
	{ "adxl345", "z", "08 00 00 00 0b 00 01 00 ff 01 00", 9.80665 / 256, 1e-12 },
	{ "adxl345", "z", "08 00 00 00 0b 00 01 00 ff ff 0f", 9.80665 * 4095 / 256, 1e-9 },
	{ "adxl345", "x", "00 00 00 00 00 00 01 00 ff 01 00", .fault = FAULT_FORMAT },
	{ "adxl345-spi", "y", "08 00 00 00 0b 00 01 00 ff 01 00", -9.80665, 1e-9 },
	{ "adxl345-spi", "y", "00 00 00 00 00 00 01 00 ff 01 00", .fault = FAULT_FORMAT },
	{ "adxl345-spi", "x", "08 00 00 00 0b 00 01 00 ff 01 00", 9.80665, 1e-9 },
	{ "adxl345-spi", "z", "08 00 00 00 0b 00 01 00 ff 01 00", 9.80665 / 256, 1e-12 },
	{ "adxl345-spi", "x", "ff ff ff ff ff ff ff ff ff ff ff", -9.80665 / 256, 1e-12 },
	/* Application note AN3308, section 4.2.3: 350 mg is 15E0h, -350 mg EA20h, low byte first */
	{ "lis3dh", "x", "e0 15 20 ea 00 00 | 57", 0.350 * 9.80665, 1e-9 },
	{ "lis3dh", "y", "e0 15 20 ea 00 00 | 57", -0.350 * 9.80665, 1e-9 },
	{ "lis3dh", "z", "e0 15 20 ea 00 40 | 57", 1.024 * 9.80665, 1e-9 },
	{ "lis3dh", "z", "e0 15 20 ea 00 00 | 07", .fault = FAULT_FORMAT },
	/* DS21295, equation 4-2: code = 1024 * VIN / VREF */
	{ "mcp3008", "ch0", "03 ff | 00 00 | 00 00 | 00 00 | 00 00 | 00 00 | 00 00 | 00 00",
	  3.3 * 1023 / 1024, 1e-9 },
	{ "mcp3008", "ch1", "00 00 | 02 00 | 00 00 | 00 00 | 00 00 | 00 00 | 00 00 | 00 00", 1.65,
	  1e-9 },
	{ "mcp3008", "ch7", "00 00 | 00 00 | 00 00 | 00 00 | 00 00 | 00 00 | 00 00 | f8 01",
	  3.3 / 1024, 1e-9 },
	{ "mcp3008", "ch7", "00 00 | 00 00 | 00 00 | 00 00 | 00 00 | 00 00 | 00 00 | ff ff",
	  .fault = FAULT_FORMAT },
	{ "mcp3008", "ch0", "00 00 | 00 00 | 00 00 | 00 00 | 00 00 | 00 00 | 00 00 | ff ff", 0 },
	/* 19-5793, Tables 4 and 5 */
	{ "max31855", "temperature", "64 00 00 00", 1600 },
	{ "max31855", "temperature", "3e 80 00 00", 1000 },
	{ "max31855", "temperature", "06 4c 00 00", 100.75 },
	{ "max31855", "temperature", "01 90 00 00", 25 },
	{ "max31855", "temperature", "00 00 00 00", 0 },
	{ "max31855", "temperature", "ff fc 00 00", -0.25 },
	{ "max31855", "temperature", "ff f0 00 00", -1 },
	{ "max31855", "temperature", "f0 60 00 00", -250 },
	{ "max31855", "junction", "00 00 7f 00", 127 },
	{ "max31855", "junction", "00 00 64 90", 100.5625 },
	{ "max31855", "junction", "00 00 19 00", 25 },
	{ "max31855", "junction", "00 00 ff f0", -0.0625 },
	{ "max31855", "junction", "00 00 ff 00", -1 },
	{ "max31855", "junction", "00 00 ec 00", -20 },
	{ "max31855", "junction", "00 00 c9 00", -55 },
	{ "max31855", "temperature", "7f fd 19 01", .fault = FAULT_FORMAT },	/* open */
	{ "max31855", "junction", "7f fd 19 01", .fault = FAULT_FORMAT },
	{ "max31855", "temperature", "ff ff ff ff", .fault = FAULT_FORMAT },	/* nobody there */
	/* 19-2235, Figure 2: D14-D3; all ones is 1023.75; D2 open; D15 is always 0 */
	{ "max6675", "temperature", "00 00", 0 },
	{ "max6675", "temperature", "7f f8", 1023.75 },
	{ "max6675", "temperature", "03 20", 25 },
	{ "max6675", "temperature", "03 21", 25 },
	{ "max6675", "temperature", "03 24", .fault = FAULT_FORMAT },
	{ "max6675", "temperature", "ff f8", .fault = FAULT_FORMAT },
};

#endif
