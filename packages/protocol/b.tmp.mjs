import * as P from "/work/main/packages/protocol/src/index.ts";
import * as C from "cbor-x";
const enc = new C.Encoder({useRecords:false, mapsAsObjects:true, tagUint8Array:true});
function bench(name, fns, n=2e5) {
  const res = {}; for (const k in fns) res[k]=[];
  for (let r=0;r<9;r++) for (const [k,f] of Object.entries(fns)) { const t=performance.now(); let s=0; for (let i=0;i<n;i++){ const v=f(); s+= v===undefined?0:1;} res[k].push((performance.now()-t)/n*1e6); }
  const med=a=>a.sort((x,y)=>x-y)[a.length>>1]; const keys=Object.keys(fns); const base=med(res[keys[0]]);
  console.log(name.padEnd(34), keys.map(k=>`${k} ${med(res[k]).toFixed(0)}ns (${(med(res[k])/base).toFixed(2)})`).join("  "));
}
const frame = {kind:"action",id:1,name:"increment",args:[1]};
const small=[1]; const mid=[{id:"abc",text:"hello world, how are you",n:42,ok:true,tags:["a","b"]}];
const big = Array.from({length:200},(_,i)=>({id:i,name:"user "+i,email:`u${i}@example.com`,score:i*1.5,active:true}));
const bin = {data:new Uint8Array(1000), at:new Date(5)};
for (const [name,v,n] of [["number",5,1e6],["string","hello",1e6],["args [1]",small,3e5],["args mid",mid,1e5],["200 objects",big,500]]) {
  const text=JSON.stringify(v), cb=P.encodeCbor(v);
  bench("json enc "+name,{floor:()=>JSON.stringify(v),ours:()=>P.encodeJson(v)},n);
  bench("json dec "+name,{floor:()=>JSON.parse(text),ours:()=>P.decodeJson(text)},n);
  bench("cbor enc "+name,{cborx:()=>enc.encode(v),ours:()=>P.encodeCbor(v)},n);
  bench("cbor dec "+name,{cborx:()=>enc.decode(cb),ours:()=>P.decodeCbor(cb)},n);
  if (typeof v==="object") bench("clone "+name,{structured:()=>structuredClone(v),ours:()=>P.cloneValue(v)},n/5);
}
const ft=JSON.stringify(frame), fc=P.encodeCbor(frame);
bench("frame json enc",{floor:()=>JSON.stringify(frame),ours:()=>P.encodeClientFrame(frame,"json"),bare:()=>P.encodeJson(frame)},3e5);
bench("frame json dec",{floor:()=>JSON.parse(ft),ours:()=>P.decodeClientFrame(ft,"json"),bare:()=>P.decodeJson(ft)},3e5);
bench("frame cbor enc",{cborx:()=>enc.encode(frame),ours:()=>P.encodeClientFrame(frame,"cbor")},2e5);
bench("frame cbor dec",{cborx:()=>enc.decode(fc),ours:()=>P.decodeClientFrame(fc,"cbor")},2e5);
bench("reply json",{floor:()=>JSON.stringify({kind:"reply",id:7,output:5}),ours:()=>P.encodeReply(7,5,"json")},3e5);
bench("reply cbor",{floor:()=>enc.encode({kind:"reply",id:7,output:5}),ours:()=>P.encodeReply(7,5,"cbor")},3e5);
bench("event json",{floor:()=>JSON.stringify({kind:"event",name:"msg",args:mid}),ours:()=>P.encodeEvent("msg",mid,"json")},1e5);
const bb=P.encodeCbor(bin), bt=P.encodeJson(bin);
bench("bin 1000 enc",{cborx:()=>enc.encode(bin),cbor:()=>P.encodeCbor(bin),json:()=>P.encodeJson(bin)},3e4);
bench("bin 1000 dec",{cbor:()=>P.decodeCbor(bb),json:()=>P.decodeJson(bt)},3e4);
