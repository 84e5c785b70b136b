# One measured value of a time series. Table iot.measurement.

@0xb42766e9790a0d38;

using Metadata = import "/cramped/metadata.capnp";

struct MeasurementRecorded $Metadata.event("iot.measurement.recorded") {
  series @0 :Text $Metadata.none;     # what is measured: the device or the metric
  value  @1 :Float64 $Metadata.none;
  unit   @2 :Text $Metadata.none;     # such as "°C"; may be absent
  site   @3 :Text $Metadata.none;     # where; may be absent
}
